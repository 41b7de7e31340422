using System.Globalization;

namespace Cloister.Transparency;

/// <summary>Which resource of a tiled log (C2SP tlog-tiles): a tile of hashes, or a bundle of entries.</summary>
/// <param name="Level">0 to 63, or <see cref="EntriesLevel"/> for a bundle of entries.</param>
/// <param name="Index">Its place within the level.</param>
/// <param name="Width">Hashes or entries in it: 256 where it is full.</param>
public readonly record struct TilePath(int Level, long Index, int Width)
{
    /// <summary>Hashes in a full tile, entries in a full bundle.</summary>
    public const int FullWidth = 256;

    /// <summary>Stands for a bundle of entries, which lie beside the tiles of level 0.</summary>
    public const int EntriesLevel = -1;

    /// <summary>Levels of the Merkle tree in one level of tiles.</summary>
    public const int Height = 8;

    private const int MaxLevel = 63;
    private const int MaxElements = 7; // three digits each: more than 2^63 / 256 tiles need

    public bool IsFull => Width == FullWidth;

    /// <summary>The tile with this index in a tree of this size, full or partial. Its width is 0 where the tree does not reach it.</summary>
    public static TilePath InTree(int level, long index, long size)
    {
        long hashes = level * Height >= 63 ? 0 : size >> (Math.Max(level, 0) * Height);
        long width = index > hashes / FullWidth ? 0 : Math.Min(hashes - index * FullWidth, FullWidth);
        return new(level, index, (int)width);
    }

    /// <summary>Reads what <see cref="ToString"/> writes and nothing else.</summary>
    /// <param name="path">From <c>tile/</c> on, without the log's prefix.</param>
    public static bool TryParse(string path, out TilePath tile)
    {
        tile = default;
        string[] parts = path.Split('/');
        bool partial = parts.Length > 3 && parts[^2].EndsWith(".p", StringComparison.Ordinal);
        var elements = parts.Skip(2).Take(parts.Length - (partial ? 3 : 2)).ToArray();
        if (elements.Length is 0 or > MaxElements || parts[0] != "tile")
        {
            return false;
        }

        elements[^1] = partial ? elements[^1][..^2] : elements[^1];
        long index = 0;
        for (int i = 0; i < elements.Length; i++)
        {
            string digits = i < elements.Length - 1 && elements[i].StartsWith('x') ? elements[i][1..] : i == elements.Length - 1 ? elements[i] : "";
            if (digits.Length != 3 || digits.Any(digit => !char.IsAsciiDigit(digit)) || index > (long.MaxValue - 999) / 1000)
            {
                return false;
            }
            index = index * 1000 + int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        }

        long level = EntriesLevel, width = FullWidth;
        bool read = (parts[1] == "entries" || (NoteText.TryReadNumber(parts[1], out level) && level <= MaxLevel))
            && (!partial || (NoteText.TryReadNumber(parts[^1], out width) && width is > 0 and < FullWidth));
        tile = read ? new((int)level, index, (int)width) : default;
        return read && tile.ToString() == path; // an index has one encoding: no leading elements of zeros
    }

    /// <summary>For example <c>tile/0/x001/234.p/5</c> or <c>tile/entries/000</c>.</summary>
    public override string ToString()
    {
        string elements = (Index % 1000).ToString("000", CultureInfo.InvariantCulture);
        for (long rest = Index / 1000; rest > 0; rest /= 1000)
        {
            elements = $"x{rest % 1000:000}/{elements}";
        }
        string level = Level == EntriesLevel ? "entries" : Level.ToString(CultureInfo.InvariantCulture);
        return IsFull ? $"tile/{level}/{elements}" : $"tile/{level}/{elements}.p/{Width}";
    }
}
