using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ciyuan.Server.Render;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan vocab</c>: which vocabularies there are, and more of them.</summary>
internal static class VocabVerb
{
    internal static Command Make()
    {
        var list = new Command("list", "The vocabularies that are here").Runs((_, context, _) => List(context));
        return new Command("vocab", "Vocabularies to count with")
        {
            list, MakeAdd(), MakeWhich(), VocabRebuild.Make(),
        };
    }

    /// <summary>Where vocabularies lie: in the data folder, then in the user's own, then in the program.</summary>
    internal static VocabularyCatalog Catalog(VerbContext context) => new(DataFolder(context), UserFolder());

    private static Command MakeAdd()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "tokenizer.json, .tiktoken, tekken.json, SentencePiece .model, or a compact file",
        };
        var name = new Option<string?>("--name") { Description = "Its name; else the file's", HelpName = "NAME" };
        var split = new Option<string?>("--split")
        {
            Description = "How text is cut, for .tiktoken files: gpt2, cl100k, o200k, llama3, qwen2, kimi, tekken …",
            HelpName = "RULE",
        };
        var special = new Option<string[]>("--special")
        {
            Description = "A special token of a .tiktoken file, and its id",
            HelpName = "TEXT=ID",
            DefaultValueFactory = _ => [],
        };
        var user = new Option<bool>("--user") { Description = "For all of this user's data folders" };
        var replace = new Option<bool>("--replace") { Description = "In place of one with the same name" };
        var command = new Command("add", "Add a vocabulary from a file of its release")
        {
            file, name, split, special, user, replace,
        };
        return command.Runs((parsed, context, _) =>
        {
            string path = parsed.GetValue(file)!;
            string folder = parsed.GetValue(user) ? UserFolder() : DataFolder(context);
            SplitRule? rule = parsed.GetValue(split) is { } text ? ReadRule(text) : null;
            string given = parsed.GetValue(name) ?? Path.GetFileNameWithoutExtension(path);
            Add(context, path, given, folder, rule, [.. parsed.GetValue(special)!.Select(ReadSpecial)],
                parsed.GetValue(replace));
            return Task.FromResult(Verb.Done);
        });
    }

    private static Command MakeWhich()
    {
        var models = new Argument<string[]>("MODELS")
        {
            Description = "Names of models",
            Arity = ArgumentArity.OneOrMore,
        };
        return new Command("which", "Which vocabulary a model uses") { models }.Runs((parsed, context, _) =>
        {
            VocabularyCatalog catalog = Catalog(context);
            List<(string Model, ModelVocabulary? Answer)> answers =
                [.. parsed.GetValue(models)!.Select(model => (model, catalog.Rules.Find(model)))];
            context.Write(new Rendering(
                () => WhichTable(catalog, answers), json => WriteWhich(json, catalog, answers)));
            return Task.FromResult(answers.TrueForAll(a => a.Answer?.Vocabulary is { } v && catalog.Has(v))
                ? Verb.Done
                : Verb.Refused);
        });
    }

    private static Task<int> List(VerbContext context)
    {
        VocabularyCatalog catalog = Catalog(context);
        List<(VocabularyListing Listing, Vocabulary Vocabulary)> all =
            [.. catalog.List().Select(listing => (listing, catalog.Get(listing.Name)))];
        context.Write(new Rendering(
            () =>
            {
                var table = new Table(
                [
                    new("name"), new("tokens", IsNumber: true), new("model"), new("split"), new("licence"), new("from"),
                ]);
                foreach ((VocabularyListing listing, Vocabulary vocabulary) in all)
                {
                    table.Add(listing.Name, vocabulary.Count.ToString(CultureInfo.InvariantCulture),
                        vocabulary.Model.ToString(), vocabulary.Split.ToString(), vocabulary.Source.Licence,
                        $"{vocabulary.Source.Package} {vocabulary.Source.File}".Trim());
                }

                return table;
            },
            json => WriteList(json, all)));
        return Task.FromResult(Verb.Done);
    }

    private static void WriteList(Utf8JsonWriter json, List<(VocabularyListing Listing, Vocabulary Vocabulary)> all)
    {
        json.WriteStartArray();
        foreach ((VocabularyListing listing, Vocabulary vocabulary) in all)
        {
            json.WriteStartObject();
            json.WriteString("name", listing.Name);
            json.WriteNumber("tokens", vocabulary.Count);
            json.WriteString("model", vocabulary.Model.ToString());
            json.WriteString("split", vocabulary.Split.ToString());
            json.WriteString("package", vocabulary.Source.Package);
            json.WriteString("file", vocabulary.Source.File);
            json.WriteString("sha256", vocabulary.Source.Sha256);
            json.WriteString("licence", vocabulary.Source.Licence);
            json.WriteString("path", listing.File);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Add(
        VerbContext context, string path, string name, string folder, SplitRule? split, AddedToken[] special,
        bool replaces)
    {
        if (name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.')))
        {
            throw new WrongUsageException($"--name: '{name}' must be letters, digits, '_', '-' and '.'");
        }

        if (ShippedVocabularies.Names.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new RefusedException($"{name} is a vocabulary of the program: give another --name.");
        }

        string target = Path.Combine(folder, name + VocabularyFile.Extension);
        if (File.Exists(target) && !replaces)
        {
            throw new RefusedException($"{target} is there already: give --replace, or another --name.");
        }

        byte[] file = ReadFile(path);
        byte[] image = VocabularyFile.Detect(file) == VocabularyFormat.Compact
            ? file
            : VocabularyFile.Compact(file, Path.GetFileName(path), name, split, special);
        Vocabulary made = Vocabulary.Open(image);
        Directory.CreateDirectory(folder);
        string unfinished = target + ".new";
        File.WriteAllBytes(unfinished, image);
        File.Move(unfinished, target, overwrite: true); // whoever has the old one mapped keeps it
        context.Write(new Rendering(
            () =>
            {
                var table = new Table(
                    [new("added"), new("tokens", IsNumber: true), new("bytes", IsNumber: true), new("file")]);
                table.Add(name, made.Count.ToString(CultureInfo.InvariantCulture),
                    image.Length.ToString(CultureInfo.InvariantCulture), target);
                return table;
            },
            json =>
            {
                json.WriteStartObject();
                json.WriteString("added", name);
                json.WriteNumber("tokens", made.Count);
                json.WriteNumber("bytes", image.Length);
                json.WriteString("file", target);
                json.WriteEndObject();
            }));
    }

    private static byte[] ReadFile(string path)
    {
        var info = new FileInfo(path);
        return !info.Exists ? throw new RefusedException($"{path} is not there.")
            : info.Length > TokenizerJson.MaxFileBytes
                ? throw new RefusedException($"{path} has more than {TokenizerJson.MaxFileBytes} bytes.")
                : File.ReadAllBytes(path);
    }

    private static SplitRule ReadRule(string text) => Enum.TryParse(text, ignoreCase: true, out SplitRule rule)
        && Enum.IsDefined(rule) && !char.IsAsciiDigit(text[0])
        ? rule
        : throw new WrongUsageException(
            $"--split: '{text}' is none of {string.Join(", ", Enum.GetNames<SplitRule>()).ToLowerInvariant()}");

    private static AddedToken ReadSpecial(string text)
    {
        int equals = text.LastIndexOf('=');
        return equals > 0 && int.TryParse(
            text.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            ? AddedToken.Control(text[..equals], id)
            : throw new WrongUsageException($"--special: '{text}' must be TEXT=ID");
    }

    private static Table WhichTable(VocabularyCatalog catalog, List<(string Model, ModelVocabulary? Answer)> answers)
    {
        var table = new Table([new("model"), new("vocabulary"), new("here"), new("rule"), new("source")])
        {
            Notes = [.. answers.Where(a => a.Answer is { Remark.Length: > 0 } answer && !IsHere(catalog, answer))
                .Select(a => $"{a.Model}: {a.Answer!.Remark}")],
        };
        foreach ((string model, ModelVocabulary? answer) in answers)
        {
            table.Add(model, answer is null ? "unknown" : answer.Vocabulary ?? "none",
                IsHere(catalog, answer) ? "yes" : "no", answer?.Rule ?? "", answer?.Source ?? "");
        }

        return table;
    }

    private static void WriteWhich(
        Utf8JsonWriter json, VocabularyCatalog catalog, List<(string Model, ModelVocabulary? Answer)> answers)
    {
        json.WriteStartArray();
        foreach ((string model, ModelVocabulary? answer) in answers)
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteBoolean("known", answer is not null);
            json.WriteString("vocabulary", answer?.Vocabulary);
            json.WriteBoolean("here", IsHere(catalog, answer));
            json.WriteString("rule", answer?.Rule);
            json.WriteString("remark", answer?.Remark);
            json.WriteString("source", answer?.Source);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static bool IsHere(VocabularyCatalog catalog, ModelVocabulary? answer) =>
        answer?.Vocabulary is { } name && catalog.Has(name);

    private static string DataFolder(VerbContext context) => Path.Combine(context.Data, "vocabularies");

    /// <summary>Not verified: a folder that is not there yet would be none, and the working folder meant.</summary>
    private static string UserFolder() => Path.Combine(
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "ciyuan", "vocabularies");
}
