namespace Ciyuan.Ledger;
/// <summary>tmp</summary>
public sealed class LedgerState { 
/// <summary>tmp</summary>
public const int MaxOpenHolds = 1_000_000; }
