// The eight digits of a new device, as they are typed or pasted.

/** codeDigits takes the digits out of anything, full-width ones too, at most eight. */
export function codeDigits(typed: string): string {
  return typed.normalize('NFKC').replace(/[^0-9]/g, '').slice(0, 8)
}

/** codeShown groups them 4 + 4. */
export function codeShown(digits: string): string {
  return digits.length > 4 ? `${digits.slice(0, 4)} ${digits.slice(4)}` : digits
}
