// How often each kind must have been completed per hundred seeds.

export const FLOORS: Readonly<Record<string, number>> = {}
