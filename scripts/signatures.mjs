// Signatures of the functions of a compiled WebAssembly module.

const TYPES = 1
const FUNCTIONS = 3
const V128 = 0x7b

/** Indices, among the functions that a module defines, of those that take or return v128. */
export function functionsWithVectors(bytes) {
  let at = 8
  const integer = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }
  const list = (read) => Array.from({ length: integer() }, read)
  const valueType = () => bytes[at++]
  const functionType = () => {
    if (bytes[at++] !== 0x60) throw new Error('a type of the module is not that of a function')
    return [...list(valueType), ...list(valueType)]
  }
  let [types, functions] = [[], []]
  while (at < bytes.length) {
    const [section, end] = [bytes[at++], integer() + at]
    if (section === TYPES) types = list(functionType)
    if (section === FUNCTIONS) functions = list(integer)
    at = end
  }
  return functions.flatMap((type, index) => (types[type].includes(V128) ? [index] : []))
}
