using System.Runtime.InteropServices;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Zeroed memory outside of the managed heap, aligned to 128 bytes, which are two lines of the cache. From 1 MiB on it
/// is aligned to 2 MiB, and Linux is asked for pages of that size before the first touch: tables that are probed at
/// random spend more on finding pages than on reading them.
/// </summary>
internal sealed unsafe partial class HugeMemory : SafeHandle
{
    private const nuint HugePage = 2 << 20;
    private const int AdviceHugePages = 14; // MADV_HUGEPAGE

    internal HugeMemory(nuint bytes)
        : base(0, ownsHandle: true)
    {
        nuint alignment = bytes >= HugePage / 2 ? HugePage : 128;
        nuint size = (bytes + alignment - 1) & ~(alignment - 1);

        // What comes fresh from the system is zero already, and is not touched here.
        byte* memory = (byte*)NativeMemory.AllocZeroed(size + alignment);
        SetHandle((nint)memory);
        Pointer = (byte*)(((nuint)memory + alignment - 1) & ~(alignment - 1));
        if (alignment == HugePage && OperatingSystem.IsLinux())
        {
            _ = Advise(Pointer, size, AdviceHugePages);
        }

        Bytes = bytes;
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Where it begins. Valid until disposed.</summary>
    internal byte* Pointer { get; }

    /// <summary>How many bytes were asked for.</summary>
    internal nuint Bytes { get; }

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
