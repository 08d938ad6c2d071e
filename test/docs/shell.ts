/** Commands of a shell's text, each as its words. Knows quotes, comments, continued lines, `&&` and redirections. */
export function shellCommands(text: string): string[][] {
  const commands: string[][] = [[]]
  const token = /\\\n|(&&|\n)|#[^\n]*|[ \t]+|((?:'[^']*'|"[^"]*"|[^\s'"#&]|(?<=\S)#)+)/gy
  const joined = text.replace(/\\\n/g, ' ')
  for (const [, end, word] of joined.matchAll(token)) {
    if (end !== undefined) commands.push([])
    if (word !== undefined) commands.at(-1)!.push(word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
  }
  return commands.filter((words) => words.length > 0).map((words) => words.slice(0, redirection(words)))
}

function redirection(words: readonly string[]): number {
  const at = words.findIndex((word) => /^\d?>/.test(word))
  return at < 0 ? words.length : at
}
