using YamlDotNet.RepresentationModel;

namespace Ciyuan.Server.Prices;

/// <summary>Where the parts of a setup file stand, for findings that name a line.</summary>
/// <param name="root">Its document.</param>
internal sealed class YamlPlaces(YamlMappingNode root)
{
    /// <summary>The line of an entry: keys of maps and numbers of list entries, from the top. Of a path that does not
    /// exist, the line of its deepest part that does.</summary>
    internal int Line(params ReadOnlySpan<object> path)
    {
        YamlNode at = root;
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

        return (int)at.Start.Line;
    }
}
