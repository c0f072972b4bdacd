// The largest value of a control store, which its port promises.

export const CONTROL_VALUE_BYTES_MAX = 1 << 20
