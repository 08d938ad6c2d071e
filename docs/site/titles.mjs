// Names a document by its first heading, where the generator would name it by its file.
import { Converter } from 'typedoc'

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const [first] = document.content
    const heading = /^\s*# (.+)\n/.exec(first?.text ?? '')
    if (heading === null) throw new Error(`${document.name}: the document has no heading`)
    document.name = heading[1].replaceAll('`', '')
    first.text = first.text.slice(heading[0].length)
  })
}
