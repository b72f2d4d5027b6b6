namespace Ciyuan.Server.Gateway;

/// <summary>
/// An answer that has begun can't be ended, and must not look whole. It is told to the server by this, which sends what
/// the client is still due and closes the connection without the answer's end. Aborting would throw away what is on its
/// way, though it is charged.
/// </summary>
internal sealed class AnswerCutException() : IOException("The answer was cut short.");
