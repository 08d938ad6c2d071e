// Transform of the AssemblyScript compiler. It inlines every function that takes or returns v128: with 256-bit vectors
// switched on, V8 stops at a vector that crosses the boundary of a function. The decorator of AssemblyScript for this is
// not TypeScript at the top level of a file, so it is added here.
import { Node, NodeKind } from 'assemblyscript'
import { Transform } from 'assemblyscript/transform'

/** Whether a type in the syntax tree is v128. */
const isVector = (type) => type.kind === NodeKind.NamedType && type.name.identifier.text === 'v128'

export default class InlineVectors extends Transform {
  afterParse({ sources }) {
    const functions = sources
      .filter(({ isLibrary }) => !isLibrary)
      .flatMap(({ statements }) => statements)
      .filter(({ kind }) => kind === NodeKind.FunctionDeclaration)
    for (const declaration of functions) {
      const { range, signature } = declaration
      const types = [signature.returnType, ...signature.parameters.map(({ type }) => type)]
      if (!types.some(isVector)) continue
      const inline = Node.createDecorator(Node.createIdentifierExpression('inline', range), null, range)
      declaration.decorators = [...(declaration.decorators ?? []), inline]
    }
  }
}
