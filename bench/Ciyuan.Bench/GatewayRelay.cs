using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Ciyuan.Bench;

/// <summary>The least that a relay on the same platform can do: a body in, a body out, nothing looked at. What the
/// gateway costs beyond this is the gateway's.</summary>
internal static class GatewayRelay
{
    internal static async Task<int> RunAsync(string listen, string upstream)
    {
        using var client = new HttpMessageInvoker(
            new SocketsHttpHandler { UseProxy = false, UseCookies = false, ActivityHeadersPropagator = null });
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, new Uri(listen).Port));
        WebApplication app = builder.Build();
        app.Run(http => PassAsync(client, upstream, http));
        await app.RunAsync();
        return 0;
    }

    /// <summary>An upstream that gives every call the same answer.</summary>
    internal static async Task<int> AnswerAsync(string listen, string answer)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(answer);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, new Uri(listen).Port));
        WebApplication app = builder.Build();
        app.Run(async http =>
        {
            byte[] body = new byte[http.Request.ContentLength ?? 0];
            await http.Request.Body.ReadExactlyAsync(body);
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = bytes.Length;
            await http.Response.Body.WriteAsync(bytes);
        });
        await app.RunAsync();
        return 0;
    }

    private static async Task PassAsync(HttpMessageInvoker client, string upstream, HttpContext http)
    {
        byte[] body = new byte[http.Request.ContentLength ?? 0];
        await http.Request.Body.ReadExactlyAsync(body);
        using var request = new HttpRequestMessage(HttpMethod.Post, upstream + http.Request.Path)
        {
            Content = new ByteArrayContent(body),
        };
        foreach ((string name, StringValues value) in http.Request.Headers)
        {
            if (name is not ("Host" or "Content-Length")
                && !request.Headers.TryAddWithoutValidation(name, (string?)value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, (string?)value);
            }
        }

        using HttpResponseMessage answer = await client.SendAsync(request, http.RequestAborted);
        http.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        http.Response.ContentLength = answer.Content.Headers.ContentLength;
        await answer.Content.CopyToAsync(http.Response.Body);
    }
}
