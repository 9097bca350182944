/** True for the first money applied with this type; decided at the application, remembered for ever. */
export function noteFirstOccurrence(moneyTypes: string[], moneyType: string): boolean {
  if (moneyTypes.includes(moneyType)) return false;
  moneyTypes.push(moneyType);
  return true;
}
