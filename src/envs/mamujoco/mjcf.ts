/** An element of an MJCF document: its attributes, and the elements inside it. */
export interface XmlElement {
  readonly tag: string
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>
  readonly children: readonly XmlElement[]
}

type AttributeValue = string | number | boolean | readonly number[]

/** Makes an element; attributes that are undefined are left out. */
export function element(
  tag: string,
  attributes: Readonly<Record<string, AttributeValue | undefined>> = {},
  children: readonly XmlElement[] = [],
): XmlElement {
  return { tag, attributes, children }
}

/** Writes the document. Numbers are written with all their digits, so that they are read back exactly. */
export function toXml({ tag, attributes, children }: XmlElement): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${Array.isArray(value) ? value.join(' ') : String(value)}"`)
    .join('')
  return children.length === 0
    ? `<${tag}${written}/>`
    : `<${tag}${written}>${children.map(toXml).join('')}</${tag}>`
}

/** The three joints that let a body move in the vertical plane, without spring, damping or armature. */
export function planarRoot(
  options: { pos?: readonly number[]; height?: number; suffix?: string } = {},
): XmlElement[] {
  const suffix = options.suffix ?? ''
  const free = { armature: 0, damping: 0, stiffness: 0, limited: false }
  return [
    element('joint', { name: `rootx${suffix}`, type: 'slide', axis: [1, 0, 0], pos: options.pos, ...free }),
    element('joint', {
      name: `rootz${suffix}`,
      type: 'slide',
      axis: [0, 0, 1],
      pos: options.pos,
      ref: options.height,
      ...free,
    }),
    element('joint', { name: `rooty${suffix}`, type: 'hinge', axis: [0, 1, 0], ...free }),
  ]
}

/** The ground: a plane that everything may touch. */
export function floor(size: readonly number[]): XmlElement {
  return element('geom', { name: 'floor', type: 'plane', size, condim: 3, conaffinity: 1 })
}
