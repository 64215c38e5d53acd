"""The data of a certificate, field for field what lean/PytestTorchLean/Spec and Check declare."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AffineData:
    """Spec.Affine: 32-bit patterns and slot numbers packed into one integer each."""

    rows: int
    lanes: int
    lane_columns: int
    weights: int
    positions: int
    sources: int
    divisor: int

    @property
    def columns(self) -> int:
        """Number of columns, padding included."""
        return self.lanes * self.lane_columns


@dataclass(frozen=True)
class ReluData:
    """Spec.Node.relu."""

    first: int
    count: int


@dataclass(frozen=True)
class GraphData:
    """Spec.Graph."""

    inputs: int
    nodes: tuple[AffineData | ReluData, ...]


@dataclass(frozen=True)
class BoxData:
    """Spec.Box: digits of `width` bits; bound i is (digit_i - offset) / denominator."""

    denominator: int
    offset: int
    width: int
    lower: int
    upper: int


@dataclass(frozen=True)
class PropertyData:
    """Spec.Property: every row of `forms` is positive (strict) or not negative."""

    forms: AffineData
    strict: bool


@dataclass(frozen=True)
class ClaimData:
    """Spec.Claim."""

    property: PropertyData
    boxes: tuple[BoxData, ...]


@dataclass(frozen=True)
class DecodingData:
    """Check.Decoding: smallest exponent field, bits of the exponents above it, bits of the integers."""

    base: int
    stages: int
    bits: int


@dataclass(frozen=True)
class ScaleData:
    """Check.Scale: fixed-point 1, fixed-point 0, bits of half a digit."""

    unit: int
    center: int
    half: int

    @property
    def top(self) -> int:
        """Largest fixed-point number."""
        return 2 * self.center


@dataclass(frozen=True)
class ClaimCertificateData:
    """Check.ClaimCertificate: `composed_bits` 0 bounds the forms directly."""

    decoding: DecodingData
    composed_bits: int


@dataclass(frozen=True)
class CertificateData:
    """Check.Certificate."""

    scale: ScaleData
    decodings: tuple[DecodingData, ...]
    claims: tuple[ClaimCertificateData, ...]


@dataclass(frozen=True)
class Emission:
    """Everything that one Lean theorem speaks about."""

    graph: GraphData
    claims: tuple[ClaimData, ...]
    certificate: CertificateData
