export function whenParentIsGone(act: () => void): void;
