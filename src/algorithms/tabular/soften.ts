/**
 * Makes a distribution of non-negative numbers in which every entry is at least `floor`: entries below it are raised, the others
 * lowered in proportion to what they have above it.
 */
export function soften(row: Float64Array, floor: number): void {
  const total = row.reduce((sum, p) => sum + p, 0)
  const above = (p: number) => Math.max(0, p / total - floor)
  const surplus = row.reduce((sum, p) => sum + above(p), 0)
  const share = surplus > 0 ? (1 - row.length * floor) / surplus : 0
  let [sum, largest] = [0, 0]
  for (let a = 0; a < row.length; a++) {
    row[a] = floor + above(row[a]) * share
    sum += row[a]
    if (row[a] > row[largest]) largest = a
  }
  row[largest] += 1 - sum
}
