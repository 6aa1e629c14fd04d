/** How long the operator's word for a credit is good; Clearing takes it as a demand in its last two weeks. */
const creditLifeSeconds = 21 * 86_400;

/** Until when the word for a credit is good that was accepted, or asked for, then; Unix seconds. @param at epoch ms */
export const creditExpiresAt = (at: number): number => Math.floor(at / 1000) + creditLifeSeconds;
