namespace Ciyuan.Storage;

/// <summary>Another process has the data folder open for writing.</summary>
public sealed class DataFolderInUseException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>
/// There is no space for another frame. Nothing was accepted; once there is space, the next call goes on.
/// </summary>
public sealed class StorageFullException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>
/// Writing failed in a way that leaves open whether the frame is on disk, so the shard has stopped: a failed sync must
/// never be tried again. After reopening, send again what was not answered: what is there already is answered so.
/// </summary>
public sealed class JournalFaultedException(string message, Exception? inner = null) : IOException(message, inner);
