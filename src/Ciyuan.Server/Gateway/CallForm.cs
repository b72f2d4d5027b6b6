using System.Globalization;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Ciyuan.Server.Gateway;

/// <summary>Reads the fields that matter of a call in <c>multipart/form-data</c>: pictures to edit, speech to write
/// down. The body stays as it is, but for the model's name.</summary>
internal static class CallForm
{
    /// <summary>Most parts of a form: sixteen pictures and some twenty fields are less.</summary>
    private const int MostParts = 128;

    /// <summary>Reads the fields.</summary>
    internal static void Read(CallFacts facts, ReadOnlySpan<byte> body, string contentType)
    {
        string boundary = MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type)
            ? HeaderUtilities.RemoveQuotes(type.Boundary).ToString()
            : "";
        if (boundary.Length is 0 or > 200)
        {
            facts.Fault = "The form has no boundary.";
            return;
        }

        byte[] mark = Encoding.UTF8.GetBytes("--" + boundary);
        int at = body.IndexOf(mark);
        for (int part = 0; at >= 0 && part < MostParts && facts.Fault is null; part++)
        {
            int start = at + mark.Length;
            int next = body[start..].IndexOf(mark);
            if (next < 0)
            {
                return;
            }

            ReadPart(facts, body[start..(start + next)], start);
            at = start + next;
        }
    }

    private static void ReadPart(CallFacts facts, ReadOnlySpan<byte> part, int start)
    {
        int head = part.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return;
        }

        ReadOnlySpan<byte> headers = part[..head];
        ReadOnlySpan<byte> value = part[(head + 4)..];
        value = value.EndsWith("\r\n"u8) ? value[..^2] : value;
        bool isFile = headers.IndexOf("filename"u8) >= 0;
        if (isFile)
        {
            facts.Pictures += headers.IndexOf("image/"u8) >= 0 ? 1 : 0;
        }
        else if (Names(headers, "model"u8))
        {
            facts.Fault = facts.ModelAt.IsThere ? "The form has 'model' twice." : null;
            facts.Model = Encoding.UTF8.GetString(value);
            facts.ModelAt = new BodySpan(start + head + 4, value.Length);
        }
        else if (Names(headers, "n"u8)
            && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long answers))
        {
            facts.Answers = Math.Max(1, answers);
        }
        else if (Names(headers, "stream"u8))
        {
            facts.Streams = value.SequenceEqual("true"u8);
        }
        else
        {
            (long ascii, long wide) = TextMeter.Measure(value);
            facts.AsciiBytes += ascii;
            facts.WideCharacters += wide;
        }
    }

    private static bool Names(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> name)
    {
        int at = headers.IndexOf("name="u8);
        ReadOnlySpan<byte> rest = at < 0 ? default : headers[(at + 5)..];
        rest = rest.StartsWith("\""u8) ? rest[1..] : rest;
        return rest.StartsWith(name) && (rest.Length == name.Length || rest[name.Length] is (byte)'"' or (byte)'\r'
            or (byte)';');
    }
}
