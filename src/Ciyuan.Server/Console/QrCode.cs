using System.Globalization;
using System.Text;
using QRCoder;

namespace Ciyuan.Server.Console;

/// <summary>A QR code as one path of SVG, a unit for each module, with the quiet margin that readers need.</summary>
internal static class QrCode
{
    /// <summary>The field that the path is drawn on.</summary>
    internal static string ViewBox(string text)
    {
        int size = Modules(text).Count;
        return string.Create(CultureInfo.InvariantCulture, $"0 0 {size} {size}");
    }

    /// <summary>The dark modules, a stroke of a row for each run of them.</summary>
    internal static string PathOf(string text)
    {
        var path = new StringBuilder();
        foreach ((int y, System.Collections.BitArray row) in Modules(text).Index())
        {
            for (int x = 0; x < row.Length; x++)
            {
                int begin = x;
                while (x < row.Length && row[x])
                {
                    x++;
                }

                if (x > begin)
                {
                    path.Append(CultureInfo.InvariantCulture, $"M{begin} {y}h{x - begin}v1h{begin - x}z");
                }
            }
        }

        return path.ToString();
    }

    private static List<System.Collections.BitArray> Modules(string text) =>
        QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M).ModuleMatrix;
}
