namespace Cloister.Log;

/// <summary>Why a log does not go on. None of these heals by waiting: somebody has to look.</summary>
public enum LogFault : byte
{
    None,

    /// <summary>Another process writes this log.</summary>
    Locked,

    /// <summary>The queue holds the record of another log, or one that this key did not sign.</summary>
    OtherLog,

    /// <summary>What is published goes beyond what the queue recorded: one of the two is an old copy.</summary>
    RecordBehindPublished,

    /// <summary>The tiles do not give the recorded root.</summary>
    TreeDamaged,

    /// <summary>A tile is there with other bytes: tiles never change.</summary>
    TileDiffers,

    /// <summary>Accepted entries are missing between the recorded tree and those that wait.</summary>
    QueueGap,

    /// <summary>The record is not the one that this process wrote last.</summary>
    RecordMoved,
}

/// <summary>A log that must not go on.</summary>
public sealed class LogStoppedException(LogFault fault, string sentence, Exception? inner = null) : Exception(sentence, inner)
{
    public LogFault Fault => fault;
}
