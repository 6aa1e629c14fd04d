// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IERC3009Bytes} from "../interfaces/payments/IERC3009Bytes.sol";

/// @notice USDC for the local chain: name, decimals, domain, EIP-2612, EIP-3009 (random nonces, both signature
///         forms) and blocklist as the real one's; minting by one admin. Not for any chain with value.
/// @dev `permit` is written here because OpenZeppelin's ERC20Permit fixes the domain version to "1".
contract TestUSDC is ERC3009, Nonces, IERC20Permit, IERC3009Bytes {
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    /// @notice May mint and edit the blocklist.
    address public immutable admin;

    mapping(address account => bool) public isBlocklisted;
    /// @notice How much an account may still mint.
    mapping(address minter => uint256) public minterAllowance;

    event Blocklisted(address indexed account);
    event UnBlocklisted(address indexed account);
    event MinterConfigured(address indexed minter, uint256 minterAllowedAmount);

    error TestUSDC_NotAdmin(address caller, address admin);
    error TestUSDC_MintTooLarge(uint256 got, uint256 limit);
    error TestUSDC_Blocklisted(address account);
    error TestUSDC_PermitExpired(uint256 nowAt, uint256 deadline);
    error TestUSDC_PermitSignatureInvalid(address owner);

    constructor(address admin_) ERC20("USD Coin", "USDC") EIP712("USD Coin", "2") {
        admin = admin_;
    }

    modifier onlyAdmin() {
        if (msg.sender != admin) revert TestUSDC_NotAdmin(msg.sender, admin);
        _;
    }

    /// @notice Lets an account mint up to an amount, as the real one's master minter does.
    function configureMinter(address minter, uint256 minterAllowedAmount) external onlyAdmin returns (bool) {
        minterAllowance[minter] = minterAllowedAmount;
        emit MinterConfigured(minter, minterAllowedAmount);
        return true;
    }

    /// @notice For the admin, and for minters within what they are allowed.
    function mint(address to, uint256 amount) external {
        if (msg.sender != admin) {
            uint256 allowed = minterAllowance[msg.sender];
            if (amount > allowed) revert TestUSDC_MintTooLarge(amount, allowed);
            minterAllowance[msg.sender] = allowed - amount;
        }
        _mint(to, amount);
    }

    /// @notice Burns of the caller's own.
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }

    /// @notice Neither sends nor receives any more.
    function blocklist(address account) external onlyAdmin {
        isBlocklisted[account] = true;
        emit Blocklisted(account);
    }

    function unBlocklist(address account) external onlyAdmin {
        isBlocklisted[account] = false;
        emit UnBlocklisted(account);
    }

    /// @inheritdoc IERC20Permit
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (block.timestamp > deadline) revert TestUSDC_PermitExpired(block.timestamp, deadline);
        bytes32 message = keccak256(
            abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline)
        );
        if (ECDSA.recover(_hashTypedDataV4(message), v, r, s) != owner)
            revert TestUSDC_PermitSignatureInvalid(owner);
        _approve(owner, spender, value);
    }

    /// @inheritdoc IERC3009Bytes
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        bytes32 typehash = TRANSFER_WITH_AUTHORIZATION_TYPEHASH;
        _requireSigned(
            from,
            abi.encode(typehash, from, to, value, validAfter, validBefore, nonce),
            signature
        );
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @inheritdoc IERC3009Bytes
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        if (to != msg.sender) revert ERC20InvalidReceiver(to);
        bytes32 typehash = RECEIVE_WITH_AUTHORIZATION_TYPEHASH;
        _requireSigned(
            from,
            abi.encode(typehash, from, to, value, validAfter, validBefore, nonce),
            signature
        );
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @inheritdoc IERC3009Bytes
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external {
        _requireSigned(authorizer, abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce), signature);
        _cancelAuthorization(authorizer, nonce);
    }

    /// @inheritdoc IERC20Permit
    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @notice Version of the EIP-712 domain.
    function version() external pure returns (string memory) {
        return "2";
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(Nonces, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocklisted[from]) revert TestUSDC_Blocklisted(from);
        if (isBlocklisted[to]) revert TestUSDC_Blocklisted(to);
        super._update(from, to, value);
    }

    function _requireSigned(address signer, bytes memory message, bytes calldata signature) private view {
        bytes32 digest = _hashTypedDataV4(keccak256(message));
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature))
            revert ERC3009InvalidSignature();
    }
}
