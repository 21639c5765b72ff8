/** Bytes. Sizes in the code are powers of 1024. */
export const MIB = 2 ** 20;
