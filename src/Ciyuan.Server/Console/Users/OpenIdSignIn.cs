using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Ciyuan.Server.Console.Users;

/// <summary>Signing in by an issuer of OpenID Connect. State, nonce, PKCE and the token's signature are checked by the
/// framework's handler; it keeps nothing of it: what comes out is a user's id, and a session of our own.</summary>
internal static class OpenIdSignIn
{
    /// <summary>Where the issuer sends the browser back to.</summary>
    internal const string DonePath = "/console/sign-in/openid/done";

    /// <summary>Where the button leads.</summary>
    internal const string Path = "/console/sign-in/openid";

    private const string Scheme = "openid";

    /// <summary>Adds the handler. Not by <c>AddAuthentication</c>, which would write keys to the home folder: state is
    /// good as long as the process runs.</summary>
    internal static void AddTo(IServiceCollection services, OpenIdOptions options, TimeProvider time)
    {
        services.AddAuthenticationCore(schemes => schemes.AddScheme<NobodySignedIn>(NobodySignedIn.Scheme, null));
        services.AddWebEncoders();
        services.TryAddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
        services.TryAddSingleton<IAuthenticationConfigurationProvider, NoSettings>();
        services.TryAddSingleton(time);
        new AuthenticationBuilder(services).AddOpenIdConnect(Scheme, open => Configure(open, options, time));
    }

    /// <summary>Sends the browser to the issuer.</summary>
    internal static Task BeginAsync(HttpContext http, string next) =>
        http.ChallengeAsync(Scheme, new AuthenticationProperties { RedirectUri = next });

    /// <summary>Takes the issuer's answer: the user's id and where to go on to; null when it is not good, with the
    /// reason for the log.</summary>
    internal static async Task<(string? User, string Next, string Fault)> EndAsync(HttpContext http)
    {
        IAuthenticationHandlerProvider handlers =
            http.RequestServices.GetRequiredService<IAuthenticationHandlerProvider>();
        var handler = (IAuthenticationRequestHandler)(await handlers.GetHandlerAsync(http, Scheme))!;
        await handler.HandleRequestAsync();
        return http.Items[Scheme] is (string user, string next, string fault)
            ? (user.Length > 0 ? user : null, next, fault)
            : (null, "", "no answer");
    }

    private static void Configure(OpenIdConnectOptions open, OpenIdOptions options, TimeProvider time)
    {
        open.Authority = options.Issuer.ToString();
        open.SignInScheme = NobodySignedIn.Scheme; // without one the handler would ask itself who is signed in
        open.RequireHttpsMetadata = !options.Issuer.IsLoopback;
        (open.ClientId, open.ClientSecret) = (options.ClientId, options.Secret);
        (open.ResponseType, open.ResponseMode) = (OpenIdConnectResponseType.Code, OpenIdConnectResponseMode.Query);
        (open.UsePkce, open.MapInboundClaims, open.DisableTelemetry) = (true, false, true);
        (open.CallbackPath, open.TimeProvider) = (DonePath, time);
        foreach (CookieBuilder cookie in (CookieBuilder[])[open.NonceCookie, open.CorrelationCookie])
        {
            cookie.SameSite = SameSiteMode.Lax; // the issuer sends the browser back by a link
            cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        }

        // Not when the token is validated: the nonce is looked at after that.
        open.Events.OnTicketReceived = received =>
        {
            string user = received.Principal?.FindFirst(options.Claim)?.Value ?? "";
            string next = received.ReturnUri ?? "";
            received.HttpContext.Items[Scheme] = (user, next, user.Length > 0 ? "" : "no claim " + options.Claim);
            received.HandleResponse();
            return Task.CompletedTask;
        };
        open.Events.OnRemoteFailure = failed =>
        {
            failed.HttpContext.Items[Scheme] = ("", "", failed.Failure?.Message ?? "refused");
            failed.HandleResponse();
            return Task.CompletedTask;
        };
    }

    /// <summary>A scheme under which nobody is ever signed in: sessions are our own.</summary>
    private sealed class NobodySignedIn : IAuthenticationHandler
    {
        internal const string Scheme = "nobody";

        public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context) => Task.CompletedTask;

        public Task<AuthenticateResult> AuthenticateAsync() => Task.FromResult(AuthenticateResult.NoResult());

        public Task ChallengeAsync(AuthenticationProperties? properties) => Task.CompletedTask;

        public Task ForbidAsync(AuthenticationProperties? properties) => Task.CompletedTask;
    }

    // Nothing is taken from settings files: what is so is in the options alone.
    private sealed class NoSettings : IAuthenticationConfigurationProvider
    {
        public IConfiguration AuthenticationConfiguration { get; } = new ConfigurationBuilder().Build();
    }
}
