using Ciyuan.Journal;
using Ciyuan.Parties;

namespace Ciyuan.Server.Console.Pages;

/// <summary>Changes: each is a command in the journal that names who made it.</summary>
internal static class Changes
{
    /// <summary>Applies a setup in the visitor's name; goes on when it is done, and says why when it is not.</summary>
    internal static async Task ApplyAsync(this Visit visit, Setup setup, string next)
    {
        if (await visit.TryApplyAsync(setup))
        {
            await visit.GoAsync(next);
        }
    }

    /// <summary>Applies a setup; false when it was refused, which the visitor has been told then.</summary>
    internal static async Task<bool> TryApplyAsync(this Visit visit, Setup setup)
    {
        Setup signed = setup with { By = visit.User!.Id };
        if (signed.FindNull() is { } part)
        {
            await visit.FailAsync(422, "error.refused", part);
            return false;
        }

        SetupResult result = await visit.Desk.Shard.SetUpAsync(signed);
        if (result.Status != SetupStatus.Refused)
        {
            visit.Desk.ForgetBalances();
            return true;
        }

        await visit.FailAsync(422, "error.refused", [.. result.Faults.Take(50)]);
        return false;
    }

    /// <summary>A field with names in it, parted by commas or spaces; null when it is empty.</summary>
    internal static string[]? List(this Visit visit, string name)
    {
        string[] parts = visit.Field(name).Split(
            [',', ' ', '，', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts.Length == 0 ? null : parts;
    }

    /// <summary>A field with a whole number; the given one when it is empty or none.</summary>
    internal static int Whole(this Visit visit, string name, int otherwise) => int.TryParse(
        visit.Field(name), System.Globalization.NumberStyles.None,
        System.Globalization.CultureInfo.InvariantCulture, out int value)
            ? value
            : otherwise;
}
