import { HatrpoError } from '../errors.js'

export interface ExportOptions {
  readonly run: string
  readonly out: string
  readonly format: 'wasm'
  readonly checkpoint: 'latest' | 'best' | number
}

export interface ExportResult {
  readonly out: string
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

export function exportPolicies(_options: ExportOptions): Promise<ExportResult> {
  return Promise.reject(new HatrpoError('export is not part of this build'))
}
