using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ciyuan.Server.Prices;

/// <summary>Where the parts of a setup file stand, for findings that name a line.</summary>
internal sealed class YamlPlaces
{
    private readonly YamlNode? _root;

    internal YamlPlaces(string yaml)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
            _root = stream.Documents.Count > 0 ? stream.Documents[0].RootNode : null;
        }
        catch (YamlException)
        {
            _root = null; // the reader of setups says what is wrong
        }
    }

    /// <summary>The line of an entry: keys of maps and numbers of list entries, from the top. Of a path that does not
    /// exist, the line of its deepest part that does.</summary>
    internal int Line(params ReadOnlySpan<object> path)
    {
        YamlNode? at = _root;
        foreach (object step in path)
        {
            YamlNode? next = (at, step) switch
            {
                (YamlMappingNode map, string key) =>
                    map.Children.TryGetValue(new YamlScalarNode(key), out YamlNode? value) ? value : null,
                (YamlSequenceNode list, int index) => index < list.Children.Count ? list.Children[index] : null,
                _ => null,
            };
            if (next is null)
            {
                break;
            }

            at = next;
        }

        return at is null ? 0 : (int)at.Start.Line;
    }
}
