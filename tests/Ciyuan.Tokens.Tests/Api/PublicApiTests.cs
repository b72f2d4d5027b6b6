using System.Reflection;
using System.Text;

namespace Ciyuan.Tokens.Tests.Api;

/// <summary>
/// All that others may call stands in src/Ciyuan.Tokens/PublicApi.txt, so that no change of it passes unseen. With
/// CIYUAN_WRITE_API=1 the file is written instead.
/// </summary>
public sealed class PublicApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void PublicApi_OfTheAssembly_IsWhatTheFileSays()
    {
        string path = Path.Combine(Project(), "PublicApi.txt");
        string[] found = [.. Members().Order(StringComparer.Ordinal)];
        if (Environment.GetEnvironmentVariable("CIYUAN_WRITE_API") == "1")
        {
            File.WriteAllText(path, string.Concat(found.Select(line => line + "\n")));
        }

        string[] written = File.ReadAllLines(path);

        Assert.Equal([], found.Except(written).Select(line => "+ " + line));
        Assert.Equal([], written.Except(found).Select(line => "- " + line));
    }

    /// <summary>The folder of the library.</summary>
    internal static string Project()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Ciyuan.slnx")))
        {
            at = at.Parent;
        }

        Assert.NotNull(at);
        return Path.Combine(at.FullName, "src", "Ciyuan.Tokens");
    }

    private static IEnumerable<string> Members()
    {
        foreach (Type type in typeof(Tokenizer).Assembly.GetExportedTypes())
        {
            string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
                : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class"
                : type.IsSealed ? "sealed class" : "class";
            yield return $"{Name(type)}: {kind}";
            foreach (string member in type.GetMembers(Declared).Select(Describe).OfType<string>())
            {
                yield return $"{Name(type)}.{member}";
            }
        }
    }

    /// <summary>A member that others can see; null for the rest, and for what the compiler makes of records.</summary>
    private static string? Describe(MemberInfo member) => member switch
    {
        FieldInfo { IsPublic: true, IsLiteral: true, DeclaringType.IsEnum: true } value =>
            $"{value.Name} = {Convert.ToInt64(value.GetRawConstantValue(), null)}",
        FieldInfo { IsSpecialName: false } field when field.IsPublic || field.IsFamily =>
            $"{field.Name}: {(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{Name(field.FieldType)}",
        ConstructorInfo { IsStatic: false } made when made.IsPublic || made.IsFamily => $"new({Parameters(made)})",
        PropertyInfo property when property.GetAccessors().Length > 0 => property.Name + ": "
            + (property.GetAccessors()[0].IsStatic ? "static " : "") + Name(property.PropertyType)
            + (property.GetMethod is { IsPublic: true } ? " get" : "") + (property.SetMethod is { IsPublic: true } set
                ? set.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? " init" : " set" : ""),
        EventInfo e => $"event {e.Name}: {Name(e.EventHandlerType!)}",
        MethodInfo { IsSpecialName: false } method when (method.IsPublic || method.IsFamily)
            && !method.Name.Contains('<', StringComparison.Ordinal) =>
            $"{method.Name}({Parameters(method)}): {(method.IsStatic ? "static " : "")}{Name(method.ReturnType)}",
        _ => null,
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        (p.IsOut ? "out " : p.ParameterType.IsByRef ? "ref " : "")
        + Name(p.ParameterType.IsByRef ? p.ParameterType.GetElementType()! : p.ParameterType) + " " + p.Name
        + (p.IsOptional ? "?" : "")));

    private static string Name(Type type)
    {
        if (type.IsGenericType)
        {
            StringBuilder name = new(type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]);
            return name.Append('<').AppendJoin(", ", type.GetGenericArguments().Select(Name)).Append('>').ToString();
        }

        return type.IsArray ? Name(type.GetElementType()!) + "[]"
            : type.Namespace?.StartsWith("Ciyuan", StringComparison.Ordinal) == true ? type.FullName! : type.Name;
    }
}
