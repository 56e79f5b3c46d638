# Formats the agent's messages for people (claude --output-format stream-json): what it says, and what it does.
def action: .input | .command? // .file_path? // .pattern? // .url? // .description? // "";
# The agent must not control its reader's terminal.
def plain: tostring | gsub("[^\\P{Cc}\\t\\n]"; "");
. as $line | (fromjson? | objects) // {type: "text", $line}
| (if .type == "text" then .line
  elif .type == "assistant" then
    .message.content[] | if .type == "text" then .text elif .type == "tool_use" then "> \(.name) \(action)" else empty end
  elif .type == "result" and .is_error then "error: \(.result // .subtype)"
  else empty end)
| plain
