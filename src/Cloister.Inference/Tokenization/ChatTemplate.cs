using System.Text.Json.Nodes;
using Cloister.Inference.Generation;
using Microsoft.Extensions.AI;

namespace Cloister.Inference.Tokenization;

/// <summary>The common families of chat templates, told apart by the markers in the model's own template.</summary>
/// <remarks>A template is a program in a language of its own. Running one that came with the weights would let them steer what the user's words become.</remarks>
internal enum ChatFamily : byte { Unknown, ChatMl, Llama3, Gemma, Phi, Zephyr, Mistral }

/// <summary>Turns a conversation into tokens, the way the model was trained to read it.</summary>
internal sealed class ChatTemplate
{
    private readonly ChatFamily _family;
    private readonly string _begin;

    private ChatTemplate(ChatFamily family, string begin) => (_family, _begin) = (family, begin);

    public ChatFamily Family => _family;

    /// <exception cref="ModelException">The model has a template of no known family, or none.</exception>
    public static ChatTemplate Load(ModelFolder folder)
    {
        string template = folder.Template;
        var family = FamilyOf(template);
        if (family is ChatFamily.Unknown)
        {
            throw new ModelException(template.Length == 0 ? "The model has no chat template." : "The model's chat template is of no known family.");
        }

        string begin = (folder.TokenizerConfig["bos_token"] is JsonObject token ? token.Text("content") : folder.TokenizerConfig.Text("bos_token")) ?? "";
        bool begins = template.Contains("bos_token", StringComparison.Ordinal) || (begin.Length > 0 && template.Contains(begin, StringComparison.Ordinal))
            || (folder.TokenizerConfig.Flag("add_bos_token") ?? false);
        return new ChatTemplate(family, begins ? begin : "");
    }

    public static ChatFamily FamilyOf(string template) => template switch
    {
        _ when template.Contains("<|im_start|>", StringComparison.Ordinal)        => ChatFamily.ChatMl,
        _ when template.Contains("<|start_header_id|>", StringComparison.Ordinal) => ChatFamily.Llama3,
        _ when template.Contains("<start_of_turn>", StringComparison.Ordinal)     => ChatFamily.Gemma,
        _ when template.Contains("[INST]", StringComparison.Ordinal)              => ChatFamily.Mistral,
        _ when template.Contains("<|end|>", StringComparison.Ordinal)             => ChatFamily.Phi,
        _ when template.Contains("<|user|>", StringComparison.Ordinal)            => ChatFamily.Zephyr,
        _                                                                         => ChatFamily.Unknown,
    };

    /// <summary>Writes the tokens of a conversation, up to where the assistant speaks. What people wrote cannot become a marker.</summary>
    public void Encode(IEnumerable<ChatMessage> messages, Tokenizer tokenizer, TokenList ids)
    {
        foreach (var (text, isTemplate) in Render([.. messages]))
        {
            if (isTemplate)
            {
                tokenizer.EncodeTemplate(text, ids, atStart: ids.Count == 0);
            }
            else
            {
                tokenizer.Encode(text, ids, atStart: ids.Count == 0);
            }
        }
    }

    internal IEnumerable<(string Text, bool IsTemplate)> Render(IReadOnlyList<ChatMessage> messages)
    {
        if (_begin.Length > 0)
        {
            yield return (_begin, true);
        }

        // Gemma and Mistral know no system turn: what it says goes before the first question.
        string system = "";
        foreach (var message in messages)
        {
            string role = message.Role == ChatRole.System ? "system" : message.Role == ChatRole.Assistant ? "assistant" : "user";
            string content = message.Text.Trim();
            if (role == "system" && _family is ChatFamily.Gemma or ChatFamily.Mistral)
            {
                system = content + "\n\n";
                continue;
            }
            var (before, after) = Markers(role);
            yield return (before, true);
            yield return (role == "user" ? system + content : content, false);
            yield return (after, true);
            system = role == "user" ? "" : system;
        }
        if (_family is not ChatFamily.Mistral)
        {
            yield return (Markers("assistant").Before, true);
        }
    }

    private (string Before, string After) Markers(string role) => _family switch
    {
        ChatFamily.ChatMl  => ($"<|im_start|>{role}\n", "<|im_end|>\n"),
        ChatFamily.Llama3  => ($"<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>"),
        ChatFamily.Gemma   => ($"<start_of_turn>{(role == "assistant" ? "model" : role)}\n", "<end_of_turn>\n"),
        ChatFamily.Phi     => ($"<|{role}|>\n", "<|end|>\n"),
        ChatFamily.Zephyr  => ($"<|{role}|>\n", "</s>\n"),
        ChatFamily.Mistral => role == "user" ? ("[INST] ", " [/INST]") : (" ", "</s>"),
        _                  => throw new System.Diagnostics.UnreachableException(),
    };
}
