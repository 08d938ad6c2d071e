/** Mean, population standard deviation and range of one or more values. */
export function spread(values: readonly number[]): { mean: number; sd: number; min: number; max: number } {
  const [min, max] = values.reduce(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [values[0], values[0]],
  )
  return { ...summarise(values), min, max }
}

/** Mean and population standard deviation of values. */
export function summarise(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0)
  return { mean, sd: Math.sqrt(squares / values.length) }
}
