/**
 * Says that an environment's code is not what policies were trained with, where both are known.
 * @param trained,now SHA-256 of the code; built-in environments have none
 */
export function tellOfChange(
  id: string,
  trained: string | undefined,
  now: string | undefined,
  onEvent: ((message: string) => void) | undefined,
): void {
  if (trained !== undefined && now !== undefined && trained !== now)
    onEvent?.(`environment ${id} was changed since these policies were trained`)
}
