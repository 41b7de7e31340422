using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cloister.Bench;

/// <summary>One line of the table: what was measured, beside what a user would otherwise use, from the same run.</summary>
/// <param name="Subject">The subject's median, in <paramref name="Unit"/>.</param>
/// <param name="Anchor">The anchor's median, in <paramref name="Unit"/>.</param>
/// <param name="Noise">The anchor against itself: a run in which this is far from 1 is not to be believed.</param>
public sealed record Row(string Name, string Unit, double Subject, double Anchor, double Ratio, double? Noise, string Target);

/// <summary>Interleaves subject and anchor in one run, so that whatever else the machine does falls on both.</summary>
public static partial class SideBySide
{
    private const int Rounds = 9;
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3), Pause = TimeSpan.FromMilliseconds(150);

    /// <summary>Work per second of CPU time: a ratio above 1 means that the subject is faster than its anchor.</summary>
    /// <param name="work">Units of work that one call of <paramref name="subject"/> or <paramref name="anchor"/> does.</param>
    public static Row Throughput(string name, string unit, double work, Action subject, Action anchor, string target)
    {
        var (subjectTimes, anchorTimes, againTimes) = (new double[Rounds], new double[Rounds], new double[Rounds]);
        Warm(subject, anchor);
        for (int round = 0; round < Rounds; round++)
        {
            anchorTimes[round] = Cpu(anchor);
            subjectTimes[round] = Cpu(subject);
            againTimes[round] = Cpu(anchor);
        }

        var (subjectMedian, anchorMedian) = (Median(subjectTimes), Median([.. anchorTimes, .. againTimes]));
        return new Row(name, unit, work / subjectMedian, work / anchorMedian, anchorMedian / subjectMedian,
            Median(anchorTimes) / Median(againTimes), target);
    }

    public static double Median(double[] values) => Quantile(values, 0.5);

    /// <summary>The value below which <paramref name="share"/> of <paramref name="values"/> lie.</summary>
    public static double Quantile(double[] values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
    }

    // Code is compiled anew, better, in the background, and only once nothing new was met for a tenth of a second: until then both grow faster while they are measured.
    private static void Warm(Action subject, Action anchor)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < WarmUp)
        {
            subject();
            anchor();
            Thread.Sleep(Pause);
        }
    }

    // Of this thread alone, for the subjects are single-threaded: the process's time counts the compiler in the background too, whomever it works for, and in steps of 10 ms.
    private static double Cpu(Action action)
    {
        double before = ThreadTime();
        action();
        return ThreadTime() - before;
    }

    private static double ThreadTime() =>
        ClockGetTime(ThreadCpuTime, out var time) == 0 ? time.Seconds + time.Nanoseconds / 1e9 : throw new InvalidOperationException("There is no clock of a thread's time.");

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Time time);

    private readonly record struct Time(long Seconds, long Nanoseconds);
}
