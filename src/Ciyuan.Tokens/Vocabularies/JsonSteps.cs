using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>What the normalizer and pre_tokenizer of a tokenizer.json come to, once recognised.</summary>
internal sealed record JsonSteps(SplitRule Split, Normalization Normalization, bool IsByteLevel)
{
    private const string OnBytes = "ByteLevel(add_prefix_space=false,use_regex=false)";
    private const string Gpt2OnBytes = "ByteLevel(add_prefix_space=false,use_regex=true)";

    /// <summary>The one rule that goes on cutting after bytes have become signs.</summary>
    private static readonly string[] Falcon =
        ["Punctuation(Contiguous)", Gpt2OnBytes, "Digits(false)", "Split(Regex:[0-9][0-9][0-9],Isolated,false)"];

    /// <summary>How many steps are read, nested ones counted: known families have at most four.</summary>
    private const int MaxSteps = 16;

    /// <summary>What stands before the map in XLNet's file: <see cref="UnicodeForm.UnmarkedClusterMap"/>.</summary>
    private static readonly string[] Unmarked =
        ["Replace(String:``,\")", "Replace(String:'',\")", "NFKD", "StripAccents"];

    internal static JsonSteps Read(JsonElement root)
    {
        List<JsonElement> normalizers = Flatten(root, "normalizer", "normalizers");
        List<string> cuts = [.. Flatten(root, "pre_tokenizer", "pretokenizers").Select(DescribeCut)];
        if (cuts is ["BertPreTokenizer"])
        {
            return new JsonSteps(SplitRule.Words, ReadWordSteps(normalizers), IsByteLevel: false);
        }

        if (cuts.SequenceEqual(Falcon))
        {
            return new JsonSteps(SplitRule.Falcon, ReadNormalization(normalizers, false), IsByteLevel: true);
        }

        if (cuts.Count > 0 && cuts[^1] is OnBytes or Gpt2OnBytes)
        {
            SplitRule split = SplitRules.Recognise(cuts[..^1], isGpt2Last: cuts[^1] == Gpt2OnBytes)
                ?? throw Unknown("pre_tokenizer", string.Join(", then ", cuts));
            return new JsonSteps(split, ReadNormalization(normalizers, false), IsByteLevel: true);
        }

        return OnCharacters(normalizers, cuts);
    }

    private static Normalization ReadWordSteps(List<JsonElement> normalizers)
    {
        if (normalizers.Count == 0)
        {
            return Normalization.None;
        }

        if (normalizers.Count > 1 || DescribeNormalizer(normalizers[0]) != "BertNormalizer")
        {
            throw Unknown("normalizer", string.Join(", then ", normalizers.Select(DescribeNormalizer)));
        }

        JsonElement step = normalizers[0];
        bool lowers = step.Flag("lowercase", "normalizer", true);
        return Normalization.None with
        {
            Words = (step.Flag("clean_text", "normalizer", true) ? WordSteps.Clean : 0)
                | (step.Flag("handle_chinese_chars", "normalizer", true) ? WordSteps.SetIdeographsApart : 0)
                | (step.Flag("strip_accents", "normalizer", lowers) ? WordSteps.StripAccents : 0)
                | (lowers ? WordSteps.LowerCase : 0),
        };
    }

    private static JsonSteps OnCharacters(List<JsonElement> normalizers, List<string> cuts)
    {
        string all = string.Join(", then ", cuts);
        bool areWords = all == "WhitespaceSplit, then Metaspace(always,split)";
        Normalization normal = ReadNormalization(normalizers, areWords);
        return all switch
        {
            // After " " has become U+2581 there is nothing left to cut at.
            "" => new JsonSteps(SplitRule.None, normal, false),
            "Split(String: ,MergedWithPrevious,false)" when normal.EscapeSpaces =>
                new JsonSteps(SplitRule.None, normal, false),
            "Metaspace(first,whole)" => Spaced(SplitRule.None, SpacePrefix.StartUnlessThere),
            "Metaspace(always,whole)" => Spaced(SplitRule.None, SpacePrefix.EachStretchUnlessThere),
            "Metaspace(never,whole)" => Spaced(SplitRule.None, SpacePrefix.None),
            "Metaspace(first,split)" => Spaced(SplitRule.WordMark, SpacePrefix.StartUnlessThere),
            "Metaspace(always,split)" => Spaced(SplitRule.WordMark, SpacePrefix.EachStretchUnlessThere),
            "Metaspace(never,split)" => Spaced(SplitRule.WordMark, SpacePrefix.None),
            _ when areWords && !normal.EscapeSpaces => new JsonSteps(SplitRule.MarkedWords, normal, false),
            _ => throw Unknown("pre_tokenizer", all),
        };

        JsonSteps Spaced(SplitRule split, SpacePrefix prefix) =>
            normal.EscapeSpaces || normal.Prefix != SpacePrefix.None
            ? throw Unknown("normalizer", "spaces are marked both here and in the pre_tokenizer")
            : new JsonSteps(split, normal with { Prefix = prefix, EscapeSpaces = true }, false);
    }

    /// <summary>The steps must come in the order in which <see cref="Normalization"/> applies them.</summary>
    private static Normalization ReadNormalization(List<JsonElement> steps, bool areWords)
    {
        Normalization result = Normalization.None;
        bool isUnmarked = steps.Count > Unmarked.Length
            && steps.Take(Unmarked.Length).Select(DescribeNormalizer).SequenceEqual(Unmarked);
        int reached = 0;
        foreach (JsonElement step in isUnmarked ? steps.Skip(Unmarked.Length) : steps)
        {
            string description = DescribeNormalizer(step);
            (Normalization next, int order) = description switch
            {
                "Precompiled" => (WithMap(result, step, isUnmarked), 1),
                _ when isUnmarked && reached == 0 => throw Unknown("normalizer", string.Join(", then ", Unmarked)),
                "NFC" => (result with { Form = UnicodeForm.Nfc }, 1),
                "NFKC" => (result with { Form = UnicodeForm.Nfkc }, 1),
                "Replace(Regex: {2,}, )" when areWords => (result, 3), // words are found whatever stands between them
                "Strip(right)" => (result with { TrimEnd = true }, 2),
                "Replace(Regex: {2,}, )" or "Replace(Regex: {2,},▁)" when !areWords =>
                    (result with { JoinSpaces = true }, 3),
                "Prepend(▁)" => (result with { Prefix = SpacePrefix.EachStretch }, 4),
                "Replace(String: ,▁)" => (result with { EscapeSpaces = true }, 5),
                _ => throw Unknown("normalizer", description),
            };
            result = order > reached ? next : throw Unknown("normalizer", $"{description} after a later step");
            reached = order;
        }

        return result.Prefix == SpacePrefix.None || result.EscapeSpaces
            ? result
            : throw Unknown("normalizer", "Prepend without Replace");
    }

    private static Normalization WithMap(Normalization before, JsonElement step, bool isUnmarked)
    {
        JsonElement text = step.Need("precompiled_charsmap", JsonValueKind.String, "normalizer");
        return text.TryGetBytesFromBase64(out byte[]? map) && CharacterMaps.IsWhole(map)
            ? before with
            {
                Form = isUnmarked ? UnicodeForm.UnmarkedClusterMap : UnicodeForm.ClusterMap,
                CharacterMap = map,
            }
            : throw new VocabularyException("tokenizer.json: normalizer.precompiled_charsmap is damaged.");
    }

    private static List<JsonElement> Flatten(JsonElement root, string name, string listName)
    {
        List<JsonElement> steps = [];
        if (root.TryGetProperty(name, out JsonElement first) && first.ValueKind != JsonValueKind.Null)
        {
            AddSteps(first, name, listName, steps);
        }

        return steps;
    }

    private static void AddSteps(JsonElement step, string name, string listName, List<JsonElement> steps)
    {
        string type = step.Need("type", JsonValueKind.String, name).GetString()!;
        if (type == "Sequence")
        {
            foreach (JsonElement inner in step.Need(listName, JsonValueKind.Array, name).EnumerateArray())
            {
                AddSteps(inner, name, listName, steps);
            }
        }
        else if (steps.Count == MaxSteps)
        {
            throw Unknown(name, $"more than {MaxSteps} steps");
        }
        else
        {
            steps.Add(step);
        }
    }

    private static string DescribeNormalizer(JsonElement step) => step.Text("type") switch
    {
        "Strip" when step.Flag("strip_right", "normalizer", true) && !step.Flag("strip_left", "normalizer", true) =>
            "Strip(right)",
        "Prepend" => $"Prepend({step.Text("prepend")})",
        "Replace" => $"Replace({Pattern(step)},{step.Text("content")})",
        { } type => type,
        null => "",
    };

    private static string DescribeCut(JsonElement step)
    {
        switch (step.Text("type"))
        {
            case "Split":
                string invert = step.Flag("invert", "pre_tokenizer") ? "true" : "false";
                return $"Split({Pattern(step)},{step.Text("behavior")},{invert})";
            case "ByteLevel":
                string prefix = step.Flag("add_prefix_space", "pre_tokenizer", true) ? "true" : "false";
                string regex = step.Flag("use_regex", "pre_tokenizer", true) ? "true" : "false";
                return $"ByteLevel(add_prefix_space={prefix},use_regex={regex})";
            case "Metaspace" when (step.Text("replacement") ?? "▁") == "▁":
                // The older spelling: add_prefix_space, always cutting.
                string otherwise = step.Flag("add_prefix_space", "pre_tokenizer", true) ? "always" : "never";
                string whole = step.Flag("split", "pre_tokenizer", true) ? "split" : "whole";
                return $"Metaspace({step.Text("prepend_scheme") ?? otherwise},{whole})";
            case "Punctuation":
                return $"Punctuation({step.Text("behavior") ?? "Isolated"})";
            case "Digits":
                return step.Flag("individual_digits", "pre_tokenizer") ? "Digits(true)" : "Digits(false)";
            case { } type:
                return type;
            default:
                return "";
        }
    }

    private static string Pattern(JsonElement step)
    {
        JsonElement pattern = step.Need("pattern", JsonValueKind.Object, "");
        return pattern.Text("Regex") is { } regex ? $"Regex:{regex}" : $"String:{pattern.Text("String")}";
    }

    private static VocabularyException Unknown(string part, string what) => new(
        $"tokenizer.json: {part} is none of a known family: {(what.Length > 600 ? what[..600] + "…" : what)}. "
        + "Counting by a similar rule would be nearly right only, so the file is refused. Take the model's vocabulary "
        + "in another form (.tiktoken, tekken.json, SentencePiece's .model) if there is one, or the counts that its "
        + "server reports. docs/VOCABULARIES.md says what is read.");
}
