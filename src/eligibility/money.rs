//! Amounts in whole cents: nothing is ever lost or gained by rounding until a grant is computed.

use serde::{Serialize, Serializer};

/// An amount of euros, exact to the cent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(pub i64);

impl Cents {
    /// Reads a decimal number as JSON writes it; `None` when it is finer than a cent or out of range.
    #[must_use]
    pub fn of_decimal(decimal: &str) -> Option<Self> {
        let (digits, exponent) = match decimal.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (decimal, 0),
        };
        let (negative, digits) = match digits.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, digits),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut value: i64 = 0;
        for digit in whole.chars().chain(fraction.chars()) {
            value = value
                .checked_mul(10)?
                .checked_add(i64::from(digit.to_digit(10)?))?;
        }
        // How many places the point must move to the right for the number to be in cents.
        let mut places = exponent + 2 - i32::try_from(fraction.len()).ok()?;
        while places > 0 && value != 0 {
            value = value.checked_mul(10)?;
            places -= 1;
        }
        while places < 0 {
            if value % 10 != 0 {
                return None;
            }
            if value == 0 {
                break;
            }
            value /= 10;
            places += 1;
        }
        Some(Self(if negative { -value } else { value }))
    }

    /// So many per cent of it, to the cent, half a cent rounded up. For amounts that are not negative.
    #[must_use]
    pub fn percent(self, rate: u32) -> Self {
        let hundredths = i128::from(self.0) * i128::from(rate);
        Self(i64::try_from((hundredths + 50) / 100).unwrap_or(i64::MAX))
    }
}

/// As a number of euros: 12499.99.
impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "amounts are far under 2^53 cents, where the nearest number prints as it was written"
        )]
        serializer.serialize_f64(self.0 as f64 / 100.0)
    }
}

impl std::iter::Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|a| a.0).fold(0, i64::saturating_add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        for (text, cents) in [
            ("0", Some(0)),
            ("24999.98", Some(2_499_998)),
            ("25000.01", Some(2_500_001)),
            ("12500.0", Some(1_250_000)),
            ("12500.1", Some(1_250_010)),
            ("1e3", Some(100_000)),
            ("1.5E2", Some(15_000)),
            ("1e-2", Some(1)),
            ("-3", Some(-300)),
            ("0.005", None),
            ("1e-3", None),
            ("1e308", None),
            ("0e308", Some(0)),
            ("99999999999999999999", None),
        ] {
            assert_eq!(Cents::of_decimal(text).map(|c| c.0), cents, "{text}");
        }
    }

    #[test]
    fn half_a_cent_is_rounded_up() {
        for (cents, half) in [
            (2_499_998, 1_249_999),
            (2_500_001, 1_250_001),
            (1, 1),
            (0, 0),
            (3, 2),
        ] {
            assert_eq!(Cents(cents).percent(50).0, half, "{cents}");
        }
        assert_eq!(serde_json::json!(Cents(1_249_999)).to_string(), "12499.99");
        assert_eq!(serde_json::json!(Cents(1_250_000)).to_string(), "12500.0");
    }
}
