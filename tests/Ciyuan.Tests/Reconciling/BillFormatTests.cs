using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Reconciling;

namespace Ciyuan.Tests.Reconciling;

public sealed class BillFormatTests
{
    [Fact]
    public void Read_OpenAiUsage_MakesDisjointClasses()
    {
        using var file = new BillFile("""
            {"object":"page","data":[{"object":"bucket","start_time":1793491200,"end_time":1793577600,"results":[
              {"object":"organization.usage.completions.result","input_tokens":1000,"input_cached_tokens":800,
               "output_tokens":50,"input_audio_tokens":7,"output_audio_tokens":0,"num_model_requests":5,
               "model":"gpt-5"}]}],
             "has_more":false,"next_page":null}
            """);
        Assert.Equal(
        [
            "2026-11-01T00:00:00Z gpt-5 input.text.fresh 200 ",
            "2026-11-01T00:00:00Z gpt-5 input.text.cache_read 800 ",
            "2026-11-01T00:00:00Z gpt-5 output.text.fresh 50 ",
            "2026-11-01T00:00:00Z gpt-5 input.audio.fresh 7 ",
        ], file.Lines("openai-usage"));
    }

    [Fact]
    public void Read_OpenAiCosts_ReadsLineItemsAndExponents()
    {
        using var file = new BillFile("""
            {"data":[{"start_time":1793491200,"end_time":1793577600,"results":[
              {"amount":{"value":0.06,"currency":"usd"},"line_item":"gpt-5, input"},
              {"amount":{"value":1.25e-05,"currency":"usd"},"line_item":"gpt-5, cached input"},
              {"amount":{"value":2,"currency":"usd"},"line_item":"Image models"}]}]}
            """);
        Assert.Equal(
        [
            "2026-11-01T00:00:00Z gpt-5 input.text.fresh  0.06",
            "2026-11-01T00:00:00Z gpt-5 input.text.cache_read  0.0000125",
            "2026-11-01T00:00:00Z Image models all  2",
        ], file.Lines("openai-costs"));
    }

    [Fact]
    public void Read_AnthropicUsageAndCosts_ReadsClassesAndCents()
    {
        using var usage = new BillFile("""
            {"data":[{"starting_at":"2026-11-01T00:00:00Z","ending_at":"2026-11-02T00:00:00Z","results":[
              {"model":"claude-haiku-4-5","uncached_input_tokens":10,"cache_read_input_tokens":20,"output_tokens":3,
               "cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":5}}]}],"has_more":false}
            """);
        Assert.Equal(
            ["input.text.fresh 10", "input.text.cache_read 20", "input.text.cache_write_5m 4",
                "input.text.cache_write_1h 5", "output.text.fresh 3"],
            usage.Lines("anthropic-usage").Select(l => string.Join(' ', l.Split(' ')[2..4])));
        using var costs = new BillFile("""
            {"data":[{"starting_at":"2026-11-01T00:00:00Z","ending_at":"2026-11-02T00:00:00Z","results":[
              {"currency":"USD","amount":"123.456","cost_type":"tokens","model":"claude-haiku-4-5",
               "token_type":"output_tokens"}]}]}
            """);
        Assert.Equal(
            ["2026-11-01T00:00:00Z claude-haiku-4-5 output.text.fresh  1.23456"], costs.Lines("anthropic-costs"));
    }

    [Theory]
    [InlineData("aliyun-bailian",
        "账单日期,实例ID,用量,用量单位,应付金额,币种\r\n20261101,text_token;llm-x;qwen-max;output_token;app,1.5,千tokens,0.09,人民币\r\n",
        "2026-10-31T16:00:00Z qwen-max output.text.fresh 1500 0.09")]
    [InlineData("aliyun-bailian",
        "账单信息/账单日期,资源信息/实例ID（出账粒度）,用量信息/用量,用量信息/用量单位,定价信息/定价币种,应付信息/应付金额（含税）\r\n"
        + "20261101,4906870;ws-x;qwen3.7-plus;context_0-256k_input_token;;0,1.2346,千tokens,CNY,0.001\r\n",
        "2026-10-31T16:00:00Z qwen3.7-plus input.text.fresh 1235 0.001")]
    [InlineData("aliyun-bailian",
        "账单信息/账单日期,资源信息/实例ID（出账粒度）,用量信息/用量,用量信息/用量单位,应付信息/应付金额（含税）\r\n"
        + "20261101,;llm-x;qwen-plus;input_token_cache;0,2,千tokens,0.002\r\n",
        "2026-10-31T16:00:00Z qwen-plus input.text.cache_read 2000 0.002")]
    [InlineData("deepseek",
        "user_id,utc_date,model,api_key_name,api_key,type,price,amount\r\n"
        + "u,20261101,deepseek-v4-pro,k,sk-x,input_cache_miss_tokens,0.000003,500\r\n"
        + "u,20261101,deepseek-v4-pro,k,sk-x,request_count,,3\r\n",
        "2026-11-01T00:00:00Z deepseek-v4-pro input.text.fresh 500 ")]
    [InlineData("volcengine-ark",
        "消费开始时间(UTC+8),配置名称,计费单元,用量,单位,应付金额\r\n2026/11/1 8:00:00,doubao-seed,推理输出,12,千tokens,0.01\r\n",
        "2026-10-31T16:00:00Z doubao-seed output.text.fresh 12000 0.01")]
    [InlineData("volcengine-ark",
        "消费日期,配置名称,计费项,用量,用量单位,应付金额,币种\r\n2026-11-01,doubao-seed,推理输入,12,千tokens,¥0.01,CNY\r\n",
        "2026-10-31T16:00:00Z doubao-seed input.text.fresh 12000 0.01")]
    [InlineData("tencent-hunyuan",
        "子产品名称,组件名称,开始使用时间,组件用量,组件用量单位,优惠后总价\r\nhunyuan-t1,模型输出,2026-11-01 10:00:00,\"1,234\",tokens,0.02\r\n",
        "2026-10-31T16:00:00Z hunyuan-t1 output.text.fresh 1234 0.02")]
    public void Read_Preset_ReadsARowOfIt(string preset, string csv, string expected)
    {
        using var file = new BillFile("\ufeff" + csv);
        Assert.Equal([expected], file.Lines(preset, "CNY"));
    }

    [Theory]
    [InlineData("id,time,model,class,quantity,amount\r\na,x,m,input,1,1\r\n", "row 2 has no time 'x'")]
    [InlineData("id,time,model,class,quantity,amount\r\na,2026-11-01T00:00:00Z,m,what,1,1\r\n", "class 'what'")]
    [InlineData("id,time,model,class,quantity,amount\r\na,2026-11-01T00:00:00Z,m,input,1,EUR\r\n", "amount 'EUR'")]
    [InlineData(
        "id,time,model,class,quantity,amount,currency\r\na,2026-11-01T00:00:00Z,m,input,1,1,EUR\r\n", "is in EUR")]
    [InlineData("id,time,model\r\n", "no column 'class'")]
    [InlineData("id,time,model,class,quantity,amount\r\na,b\r\n", "has 2 fields")]
    [InlineData("", "has no header")]
    public void Read_BadRow_SaysWhichAndWhy(string csv, string reason)
    {
        using var file = new BillFile(csv);
        BillException fault = Assert.Throws<BillException>(() => file.Lines("ciyuan"));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromYaml_UnknownField_IsRefused() => Assert.Contains("there is no field 'colour'",
        Assert.Throws<YamlFileException>(() => BillMapping.FromYaml("map: { colour: X }")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Read_ColumnForEachClass_MakesALineOfEach()
    {
        using var file = new BillFile("day,m,in,out,cost\n2026-11-01,a,5,6,7\n2026-11-02,a,0,6,1\n");
        BillMapping mapping = BillMapping.FromYaml("""
            map: { day: day, model: m, quantity.input: in, quantity.output.text: out, amount: cost }
            """);
        var bill = Bill.Open(file.Path, "", mapping, NodaTime.DateTimeZone.Utc, Currency.Usd);
        Assert.Equal(["input 5 ", "output.text.fresh 6 ", "all  7", "output.text.fresh 6 ", "all  1"],
            bill.Read().Select(l => $"{l.Class} {l.Steps} {l.Amount}"));
    }
}
