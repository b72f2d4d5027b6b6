using System.Net.Mime;
using System.Text.Json.Nodes;
using Ciyuan.Parties;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Ciyuan.Server.Api;

/// <summary>A body in the document.</summary>
/// <param name="MediaType">Its media type.</param>
/// <param name="Schema">Name of its schema in schemas.json; null for text.</param>
/// <param name="Example">Name of an example there; null without one.</param>
internal sealed record ApiBody(string MediaType, string? Schema, string? Example = null);

/// <summary>What the OpenAPI document says of an endpoint.</summary>
/// <param name="Id">Name of the operation in a generated client.</param>
/// <param name="Summary">One line.</param>
/// <param name="Description">More.</param>
internal sealed record ApiText(string Id, string Summary, string Description)
{
    /// <summary>Bodies that are taken, beyond <see cref="Takes"/>.</summary>
    internal ApiBody[] Requests { get; init; } = [];

    /// <summary>Bodies of a 200, beyond <see cref="Gives"/>.</summary>
    internal ApiBody[] Answers { get; init; } = [];

    /// <summary>Type of a JSON body that is taken; null when its schema is in schemas.json or there is none.</summary>
    internal Type? Takes { get; init; }

    /// <summary>Other media types in which <see cref="Takes"/> may come.</summary>
    internal string[] AlsoTakes { get; init; } = [];

    /// <summary>Example of it in schemas.json.</summary>
    internal string? TakesExample { get; init; }

    /// <summary>Type of the JSON answer; null when its schema is in schemas.json.</summary>
    internal Type? Gives { get; init; }

    /// <summary>Statuses of refusals.</summary>
    internal int[] Problems { get; init; } = [];
}

/// <summary>What the OpenAPI document says. Schemas of what is read and written by hand are in schemas.json; the others
/// come from the types. A test compares the document with the routes.</summary>
internal static partial class ApiDocument
{
    private const string Json = MediaTypeNames.Application.Json;

    private static readonly OpenApiDocument Written = ReadWritten();

    /// <summary>Registers the document <c>v1</c>.</summary>
    internal static void AddTo(IServiceCollection services, bool tokenNeeded)
    {
        services.ConfigureHttpJsonOptions(json => CommandBody.Configure(json.SerializerOptions));
        services.AddOpenApi("v1", options =>
        {
            options.AddDocumentTransformer((document, _, _) => DescribeAll(document, tokenNeeded));
            options.AddSchemaTransformer((schema, context, _) => NameInLowerCase(schema, context.JsonTypeInfo.Type));
            options.AddOperationTransformer((operation, context, _) => DescribeOne(operation, context));
        });
    }

    /// <summary>Attaches a description to an endpoint.</summary>
    internal static void Describe(this RouteHandlerBuilder endpoint, ApiText text)
    {
        endpoint.WithName(text.Id).WithSummary(text.Summary).WithDescription(text.Description).WithMetadata(text);
        if (text.Takes is not null)
        {
            // The routing goes by this too: it must name all that is taken.
            endpoint.Accepts(text.Takes, Json, text.AlsoTakes);
        }

        string[]? types = text.Gives is null ? null : [Json];
        endpoint.WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, text.Gives, types));
    }

    // Setups are read by the reader of the YAML file, which has the names of roles and kinds in lower case.
    private static Task NameInLowerCase(OpenApiSchema schema, Type type)
    {
        if (type == typeof(Role) || type == typeof(FundingKind) || type == typeof(UpstreamProtocol)
            || type == typeof(RoutePolicy) || type == typeof(BudgetPeriod) || type == typeof(SettlementCycle)
            || type == typeof(TaxMode))
        {
            schema.Type = JsonSchemaType.String;
            schema.Enum = [.. Enum.GetNames(type).Select(name => (JsonNode)name.ToLowerInvariant())];
        }

        return Task.CompletedTask;
    }

    private static Task DescribeAll(OpenApiDocument document, bool tokenNeeded)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Ciyuan",
            Version = "1",
            Description = "The system of record for AI usage: usage in; exact accounts and statistics out. Amounts are "
                + "decimal strings. Every refusal is a Problem.",
            License = new OpenApiLicense { Name = "Apache-2.0", Identifier = "Apache-2.0" },
        };
        if (tokenNeeded)
        {
            var bearer = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" };
            document.AddComponent("token", bearer);
            var reference = new OpenApiSecuritySchemeReference("token", document);
            document.Security = [new OpenApiSecurityRequirement { [reference] = [] }];
        }

        return Task.CompletedTask;
    }

    private static Task DescribeOne(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        OpenApiDocument document = context.Document!;
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<ApiText>().FirstOrDefault() is not { } text)
        {
            return Task.CompletedTask;
        }

        AddWrittenSchemas(document);
        IDictionary<string, OpenApiMediaType>? taken = operation.RequestBody?.Content;
        if (text.Requests.Length > 0)
        {
            Dictionary<string, OpenApiMediaType> content = Describe(text.Requests, document);
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = content };
            foreach ((string mediaType, OpenApiMediaType body) in taken ?? new Dictionary<string, OpenApiMediaType>())
            {
                content.TryAdd(mediaType, body);
            }
        }

        if (text.TakesExample is { } example)
        {
            operation.RequestBody!.Content![Json].Example = Written.Components!.Examples![example].Value;
        }

        operation.Responses ??= [];
        if (text.Answers.Length > 0)
        {
            Dictionary<string, OpenApiMediaType> content = Describe(text.Answers, document);
            operation.Responses["200"] = new OpenApiResponse { Description = "Done.", Content = content };
        }

        foreach (int status in text.Problems)
        {
            operation.Responses[$"{status}"] = new OpenApiResponse
            {
                Description = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status),
                Content = Describe([new ApiBody(Problem.MediaType, "Problem", "Problem")], document),
            };
        }

        return Task.CompletedTask;
    }

    private static Dictionary<string, OpenApiMediaType> Describe(ApiBody[] bodies, OpenApiDocument document) =>
        bodies.ToDictionary(body => body.MediaType, body => new OpenApiMediaType
        {
            Schema = body.Schema is null
                ? new OpenApiSchema { Type = JsonSchemaType.String }
                : new OpenApiSchemaReference(body.Schema, document),
            Example = body.Example is null ? null : Written.Components!.Examples![body.Example].Value,
        });

    private static void AddWrittenSchemas(OpenApiDocument document)
    {
        foreach ((string name, IOpenApiSchema schema) in ReadWritten().Components!.Schemas!)
        {
            document.AddComponent(name, schema);
        }
    }

    private static OpenApiDocument ReadWritten()
    {
        using Stream stream = typeof(ApiDocument).Assembly.GetManifestResourceStream("Ciyuan.Server.Api.schemas.json")!;
        using var reader = new StreamReader(stream);
        return OpenApiDocument.Parse(reader.ReadToEnd(), "json").Document
            ?? throw new InvalidOperationException("schemas.json is no OpenAPI document.");
    }
}
