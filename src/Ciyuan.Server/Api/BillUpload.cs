using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ciyuan.Server.Api;

/// <summary>Takes a bill in: to a file, for it may be larger than memory.</summary>
internal static class BillUpload
{
    private const int Piece = 128 * 1024;

    /// <summary>Lets a request have a body as large as a bill.</summary>
    internal static void Allow(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = ServerLimits.BillBytes + (16 * 1024 * 1024); // so that who sends more reads why
        }
    }

    /// <summary>Writes the body of a request to a file; false when it is too large.</summary>
    internal static async Task<bool> SaveAsync(HttpContext http, string path)
    {
        Allow(http);
        if (http.Request.ContentLength > ServerLimits.BillBytes)
        {
            return false;
        }

        await using FileStream file = File.Create(path);
        byte[] buffer = new byte[Piece];
        for (long all = 0; ;)
        {
            int read = await http.Request.Body.ReadAsync(buffer, http.RequestAborted);
            all += read;
            if (read == 0 || all > ServerLimits.BillBytes)
            {
                return read == 0;
            }

            await file.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
        }
    }
}
