using System.Buffers.Binary;
using System.Security.Cryptography;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Vocabularies;

public sealed class CompactFileTests
{
    [Fact]
    public void Open_WhatWasWritten_GivesEverythingBack()
    {
        VocabularyDraft draft = Draft();
        Vocabulary read = Vocabulary.Open(ImageWriter.Write(draft, new VocabularySource("p@1", "f", "00", "MIT")));

        Assert.Equal(("small", "p@1", 6), (read.Name, read.Source.Package, read.MaxId));
        Assert.Equal("abab"u8, read.BytesOf(4));
        Assert.Equal([new Merge(0, 1, 2), new Merge(2, 2, 4)], read.Merges.ToArray());
        Assert.Equal(draft.AddedTokens, read.AddedTokens);
        Assert.Equal((EntryKind.None, EntryKind.Control), (read.KindOf(3), read.KindOf(6)));
        Assert.True(read.TryFind("ab"u8, out int id) && id == 2);
        Assert.False(read.TryFind("<x>"u8, out _));
    }

    [Fact]
    public void Open_AnyByteChanged_IsRefused()
    {
        byte[] file = ImageWriter.Write(Draft(), VocabularySource.Unknown);
        for (int at = 0; at < file.Length; at++)
        {
            byte[] changed = [.. file];
            changed[at] ^= 0x41;
            Assert.Throws<VocabularyException>(() => Vocabulary.Open(changed));
            Assert.Throws<VocabularyException>(() => Vocabulary.Open(file.AsMemory(0, at)));
        }
    }

    /// <summary>The checksum is of no help against intent, so here it is right.</summary>
    [Fact]
    public void Open_AnyByteForged_IsRefusedOrReadWithinBounds()
    {
        byte[] file = ImageWriter.Write(Draft(), VocabularySource.Unknown);
        for (int at = 12; at < file.Length; at++)
        {
            foreach (byte value in (byte[])[0, 1, 0x7F, 0x80, 0xFF])
            {
                byte[] forged = [.. file];
                forged[at] = value;
                BinaryPrimitives.WriteUInt32LittleEndian(forged.AsSpan(8), ImageFormat.Checksum(forged));
                Exception? outcome = Record.Exception(() => ReadAll(Vocabulary.Open(forged)));
                Assert.True(outcome is null or VocabularyException, $"byte {at} = {value}: {outcome}");
            }
        }
    }

    [Fact]
    public void Rebuild_FromOtherBytes_IsRefused()
    {
        string message = Assert.Throws<VocabularyException>(
            () => ShippedVocabularies.Rebuild((_, _) => new byte[] { 1 }).ToList()).Message;

        Assert.Contains("SHA-256", message, StringComparison.Ordinal);
    }

    /// <summary>What is shipped, frozen: made by `ciyuan vocab rebuild` from the packages of the recipe.</summary>
    [Theory]
    [InlineData("cl100k_base.vocab", "56f9a93853fe12d2b01d904b6e3d4abd78908510024adb0b609dcb37444d8f75")]
    [InlineData("deepseek_v3+deepseek_v4.vocab", "046e75c067c98271444886fa8a8912f0e27e7913b6f41d25946b6435550bc620")]
    [InlineData("mistral_nemo.vocab", "6afc65124b2a3ea034f4054e04664a4720642af0d55304bc7bd5f8739713cb34")]
    [InlineData("o200k_base+o200k_harmony.vocab", "1e78cdd86bd4d61b174dc8b872abc40ffa93be14aca54fc45acd05c7bb4a153d")]
    [InlineData(
        "p50k_base+p50k_edit+r50k_base+gpt2.vocab", "5f17cc66daf7ac1a9dbc6a8428abc4c24a8824259a786a40088e9de108b40b78")]
    [InlineData("qwen2_5+qwen3.vocab", "01dc195e6545649bc73f41d13a8e084eb9c290a495ce07b0a029e3754f9e8a3e")]
    public void Files_Shipped_HaveTheirHashes(string name, string sha256)
    {
        (_, ReadOnlyMemory<byte> image) = Assert.Single(ShippedVocabularies.Files(), file => file.FileName == name);

        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(image.Span)));
        Assert.NotEqual(0, ImageReader.ReadHeader(image.Span).Slots); // the checksum, which opening them leaves out
        ImageReader.ReadProfiles(image.Span, ImageReader.ReadHeader(image.Span)).ForEach(
            // and all that is checked of others
            profile => Assert.True(Vocabulary.Open(image, profile.Name).Count > 0));
    }

    [Theory]
    [InlineData("o200k_base", 200_000, 200_018, "<|endofprompt|>")]
    [InlineData("o200k_harmony", 201_088, 200_005, "<|channel|>")]
    [InlineData("cl100k_base", 100_261, 100_276, "<|endofprompt|>")]
    [InlineData("p50k_edit", 50_284, 50_283, "<|fim_suffix|>")]
    [InlineData("r50k_base", 50_257, 50_256, "<|endoftext|>")]
    [InlineData("qwen3", 151_669, 151_667, "<think>")]
    [InlineData("deepseek_v4", 129_280, 129_279, "<｜image｜>")]
    [InlineData("mistral_nemo", 131_072, 3, "[INST]")]
    public void Get_Shipped_HasItsTokens(string name, int count, int id, string content)
    {
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);

        Assert.Equal(count, vocabulary.Count);
        Assert.Contains(vocabulary.AddedTokens, token => token.Id == id && token.Content == content);
        Assert.True(vocabulary.BytesOf(id).SequenceEqual(System.Text.Encoding.UTF8.GetBytes(content)));
    }

    /// <summary>Numbers in files: add, never change.</summary>
    [Fact]
    public void Enums_Stored_KeepTheirNumbers()
    {
        Assert.Equal(
            "RankBpe=1,MergeBpe=2,CharacterMergeBpe=3,ScoredBpe=4,Unigram=5,WordPiece=6", Numbers<TokenModel>());
        Assert.Equal(
            "None=0,Gpt2=1,Cl100k=2,O200k=3,Llama3=4,Qwen2=5,Qwen35=6,DeepSeekV3=7,DeepSeekLlm=8,DeepSeekCoder=9,"
            + "Kimi=10,Tekken=11,WordMark=12,MarkedWords=13,Gpt2Digits=14,Falcon=15,Words=16",
            Numbers<SplitRule>());
        Assert.Equal("None=0,Nfc=1,Nfkc=2,CharacterMap=3,ClusterMap=4,UnmarkedClusterMap=5", Numbers<UnicodeForm>());
        Assert.Equal(
            "None=0,EachStretch=1,Start=2,EachStretchUnlessThere=3,StartUnlessThere=4", Numbers<SpacePrefix>());
        Assert.Equal("None=0,Clean=1,SetIdeographsApart=2,StripAccents=4,LowerCase=8", Numbers<WordSteps>());
        Assert.Equal("None=0,Normal=1,Byte=2,Unknown=3,Control=4,Unused=5", Numbers<EntryKind>());
    }

    private static string Numbers<T>()
        where T : struct, Enum => string.Join(',', Enum.GetValues<T>().Select(value => $"{value}={value:D}"));

    private static void ReadAll(Vocabulary vocabulary)
    {
        long sum = vocabulary.Merges.Length;
        for (int id = 0; id <= vocabulary.MaxId; id++)
        {
            sum += vocabulary.BytesOf(id).Length + (int)vocabulary.KindOf(id);
            sum += vocabulary.TryFind([1], out _) ? 1 : 0;
            sum += vocabulary.Index?.Find("abab"u8, id, id + 1) == 0 ? 1 : 0;
            sum += Math.Abs(vocabulary.Index?.FindEntry("abab"u8) ?? 0);
        }

        Assert.True(sum >= 0);
    }

    private static VocabularyDraft Draft()
    {
        VocabularyDraft draft = new() { Name = "small", Model = TokenModel.MergeBpe, Split = SplitRule.Qwen2 };
        draft.Put(0, [.. "a"u8]);
        draft.Put(1, [.. "b"u8]);
        draft.Put(2, [.. "ab"u8]);
        draft.Put(4, [.. "abab"u8]);
        draft.Merges.AddRange([new Merge(0, 1, 2), new Merge(2, 2, 4)]);
        draft.Add(new AddedToken("<x>", 6, true, true, false, false, true));
        return draft;
    }
}
