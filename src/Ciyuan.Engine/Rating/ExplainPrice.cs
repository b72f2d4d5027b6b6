namespace Ciyuan.Rating;

/// <summary>Says why a price is what it is, line by line; it charges nothing.</summary>
public static class ExplainPrice
{
    /// <summary>Explains the price of a record under a book.</summary>
    /// <param name="books">The books.</param>
    /// <param name="question">What is asked.</param>
    public static PriceExplanation Explain(PriceBooks books, PriceQuestion question)
    {
        ArgumentNullException.ThrowIfNull(books);
        ArgumentNullException.ThrowIfNull(question);
        throw new NotSupportedException("Prices can't be explained yet.");
    }
}
