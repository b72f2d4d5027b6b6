using System.Text;
using System.Text.Unicode;

namespace Ciyuan.Tokens.Counting;

/// <summary>Makes text valid: what is no UTF-8 becomes U+FFFD, as <see cref="Encoding.UTF8"/> reads it.</summary>
internal static class Utf8Repair
{
    internal static ReadOnlySpan<byte> Valid(ReadOnlySpan<byte> text) =>
        Utf8.IsValid(text) ? text : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));
}
