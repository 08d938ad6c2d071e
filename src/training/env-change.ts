/**
 * Emits an event if the code of an environment differs from the code that the policies were trained with.
 * @param trained,now SHA-256 of the code; undefined for built-in environments
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
