// A place for what is recomputed value by value; until it is written, nothing is.

export const isRecomputed = () => false;
export const recompute = async () => null;
