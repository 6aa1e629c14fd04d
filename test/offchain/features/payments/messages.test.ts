import { expect, test } from "vitest";
import { typeText } from "#offchain/core/typedHash.ts";
import { creditTypes } from "#offchain/features/clearing/messages.ts";
import {
  channelTypes,
  depositTypes,
  receiptRootTypes,
  receiptTypes,
  voucherTypes,
} from "#offchain/features/payments/messages.ts";

test("what is signed has the types that the contracts and the scheme hash", () => {
  expect(typeText(channelTypes, "ChannelConfig")).toBe(
    "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)",
  );
  expect(typeText(voucherTypes, "Voucher")).toBe("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
  expect(typeText(depositTypes, "ReceiveWithAuthorization")).toBe(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)",
  );
  expect(typeText(receiptTypes, "Receipt")).toBe(
    "Receipt(uint256 paymentId,bytes32 channelId,address payer,address payee,uint256 amount,uint256 cumulative,uint256 acceptedAt,uint256 co2Micrograms,uint256 energyMillijoules,uint256 atp)",
  );
  expect(typeText(receiptRootTypes, "ReceiptRoot")).toBe("ReceiptRoot(bytes32 root)");
  expect(typeText(creditTypes, "CreditReceipt")).toBe(
    "CreditReceipt(address token,address payee,uint128 cumulative,uint64 epoch,uint32 office,uint40 expiresAt)",
  );
});
