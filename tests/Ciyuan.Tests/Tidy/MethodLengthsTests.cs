using Xunit;

namespace Ciyuan.Tests.Tidy;

public sealed class MethodLengthsTests
{
    [Theory]
    [InlineData("class A { void M() { } }", "M:1")]
    [InlineData("class A\n{\n    void M()\n    {\n    }\n\n    int N() =>\n        1;\n}", "M:3 N:2")]
    [InlineData(
        "sealed record R(int X)\n{\n  int P { get; init; }\n  R Keep(R record)\n  {\n    if (P > 1) { }\n  }\n}",
        "P:1 Keep:4")]
    [InlineData("class A { private int[] _a = { 1, 2 }; int[] B() => [1]; }", "B:1")]
    [InlineData(
        "class A { string M() => $\"{{ {F(\"}\")} \"; string N() { return @\"\"\"{\"; } char O() { return '{'; } }",
        "M:1 N:1 O:1")]
    [InlineData("class A { /* { */ void M() { // }\n }\n #region {\n }", "M:2")]
    [InlineData("class A { [X(\"{\")] [Y]\n public A(int a)\n : base(a)\n {\n }\n enum E { One, Two } }", "A:4")]
    [InlineData(
        "struct S { public static bool operator ==(S a, S b)\n => true; T F<T>(T t) where T : class { return t; } }",
        "==:2 F:1")]
    [InlineData(
        "namespace N;\nusing X;\nclass A { void M() { void Local() { } Local(); } string R() => \"\"\"\n { \"\"\"; }",
        "M:1 R:2")]
    public void Measure_Text_FindsEachMemberWithItsLines(string text, string expected)
    {
        string actual = string.Join(' ', MethodLengths.Measure(text).Select(m => $"{m.Name}:{m.Lines}"));

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void CodeOnly_AnySource_KeepsLengthAndLines()
    {
        foreach (string file in Repository.Sources)
        {
            string text = Repository.Read(file);
            string code = CSharpText.CodeOnly(text);

            Assert.Equal(text.Length, code.Length);
            Assert.Equal(text.Count(c => c == '\n'), code.Count(c => c == '\n'));
            Assert.True(code.Count(c => c == '{') == code.Count(c => c == '}'), $"{file}: braces do not match");
        }
    }
}
