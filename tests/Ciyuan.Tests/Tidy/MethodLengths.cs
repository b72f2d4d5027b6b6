using System.Text.RegularExpressions;

namespace Ciyuan.Tests.Tidy;

/// <summary>A method, constructor, operator or property with a body.</summary>
/// <param name="Name">Its name; overloads share one.</param>
/// <param name="Lines">Lines from the one with its name to the one with its end.</param>
internal readonly record struct MethodLength(string Name, int Lines);

/// <summary>Finds the members of types by matching braces.</summary>
internal static partial class MethodLengths
{
    /// <summary>The members with a body, in order. Local functions count with the member that holds them.</summary>
    internal static List<MethodLength> Measure(string text)
    {
        string code = CSharpText.CodeOnly(text);
        List<MethodLength> found = [];
        ReadMembers(code, 0, code.Length, found);
        return found;
    }

    private static void ReadMembers(string code, int start, int end, List<MethodLength> found)
    {
        while (start < end)
        {
            start = SkipAttributes(code, start, end);
            int body = -1; // where the body starts: '{' or the arrow
            int depth = 0;
            int at = start;
            for (; at < end; at++)
            {
                char c = code[at];
                bool arrow = c == '=' && at + 1 < end && code[at + 1] == '>';
                if (depth == 0 && body < 0 && (c == '{' || arrow))
                {
                    body = at;
                }

                depth += c switch { '{' or '(' or '[' => 1, '}' or ')' or ']' => -1, _ => 0 };
                bool blockEnds = c == '}' && depth == 0 && body >= 0 && code[body] == '{';
                if (blockEnds || (c == ';' && depth == 0))
                {
                    break;
                }
            }

            if (body >= 0)
            {
                AddMember(code, start, body, Math.Min(at, end - 1), found);
            }

            start = at + 1;
        }
    }

    private static void AddMember(string code, int start, int body, int last, List<MethodLength> found)
    {
        string header = code[start..body];
        string beforeParameters = header.Split('(')[0];
        if (TypeHeader().IsMatch(beforeParameters))
        {
            if (!EnumHeader().IsMatch(beforeParameters))
            {
                ReadMembers(code, body + 1, last, found);
            }

            return;
        }

        Match name = MemberName().Match(beforeParameters);
        if (name.Success && !FieldHeader().IsMatch(beforeParameters))
        {
            int lines = code.AsSpan(start, last - start).Count('\n') + 1;
            found.Add(new MethodLength(name.Groups[1].Value, lines));
        }
    }

    private static int SkipAttributes(string code, int at, int end)
    {
        while (true)
        {
            while (at < end && char.IsWhiteSpace(code[at]))
            {
                at++;
            }

            if (at >= end || code[at] != '[')
            {
                return at;
            }

            int depth = 0;
            do
            {
                depth += code[at] switch { '[' => 1, ']' => -1, _ => 0 };
                at++;
            }
            while (at < end && depth > 0);
        }
    }

    [GeneratedRegex(@"\b(class|struct|interface|enum|record|namespace)\s+\w")]
    private static partial Regex TypeHeader();

    [GeneratedRegex(@"\benum\s+\w")]
    private static partial Regex EnumHeader();

    [GeneratedRegex(@"(\S+?)\s*(<[^<>=]*>)?\s*$")]
    private static partial Regex MemberName();

    [GeneratedRegex(@"(?<![=!<>])=(?![=>])(?!.*\boperator\b)")]
    private static partial Regex FieldHeader();
}
