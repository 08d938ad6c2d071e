/**
 * Turns non-negative numbers into a distribution in which every entry is at least `floor`: lower entries are raised,
 * and the others are reduced in proportion to their excess over the floor.
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
