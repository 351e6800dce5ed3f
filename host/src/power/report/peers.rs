//! What others publish of power and energy: a table that is built in, each line with its label.

use serde::Deserialize;

/// How well founded a number of others is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Founded {
    /// By a named sensor or program, on the hardware.
    Measured,
    /// By the authors, without saying how it was found.
    Claimed,
    /// Somebody else's note of what the authors say.
    Secondhand,
    /// A number in a file; whether measured or modelled is not said.
    Unclear,
    /// Calculated for hardware that was not built.
    Projected,
}

impl Founded {
    /// All of them, the best first.
    pub const ALL: [Founded; 5] = [
        Founded::Measured,
        Founded::Claimed,
        Founded::Secondhand,
        Founded::Unclear,
        Founded::Projected,
    ];

    /// The label of the number.
    pub fn label(self) -> &'static str {
        match self {
            Founded::Measured => "published as measured",
            Founded::Claimed => "claimed, method not stated",
            Founded::Secondhand => "second hand",
            Founded::Unclear => "CSV only, measured or modelled unknown",
            Founded::Projected => "projected, not measured",
        }
    }
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// What it is called.
    pub name: String,
    /// What was computed.
    pub model: String,
    /// On what.
    pub hardware: String,
    /// While it decodes.
    pub watts: Option<f64>,
    /// While it decodes.
    pub tokens_per_second: Option<f64>,
    /// As the source says it, more than 0.
    pub j_per_token: Option<f64>,
    /// How well founded all that is.
    pub evidence: Founded,
    /// Where it is from.
    pub source: String,
    /// What else has to be known.
    pub note: String,
}

impl Peer {
    /// Joules a token, and whether they are derived: watts by tokens a second.
    pub fn joules(&self) -> Option<(f64, bool)> {
        match self.j_per_token {
            Some(joules) => Some((joules, false)),
            None => Some((self.watts? / self.tokens_per_second?, true)),
        }
    }
}

/// The table, in its order.
pub fn peers() -> Vec<Peer> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        peer: Vec<Peer>,
    }
    let file: File = toml::from_str(include_str!("peers.toml")).expect("a test has read it");
    file.peer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let peers = peers();
        assert!(peers.len() > 10);
        for peer in &peers {
            let texts = [&peer.name, &peer.model, &peer.hardware, &peer.source, &peer.note];
            assert!(texts.iter().all(|text| !text.is_empty()), "{}", peer.name);
            let numbers = [peer.watts, peer.tokens_per_second, peer.j_per_token];
            assert!(numbers.iter().any(Option::is_some), "{}: no number", peer.name);
            assert!(numbers.into_iter().flatten().all(|n| n > 0.0 && n < 1e6), "{}", peer.name);
        }
    }

    #[test]
    fn energy_is_derived_only_where_none_is_stated() {
        let peers = peers();
        let of = |name: &str| peers.iter().find(|peer| peer.name == name).unwrap();
        let projected = of("MatMul-free paper, projection");
        assert_eq!(projected.evidence, Founded::Projected);
        assert_eq!(projected.joules(), Some((13.67 / 23.8, true)));
        assert_eq!(of("MatMul-free paper, one core").joules(), None);
        assert_eq!(of("bitnet-kv260").joules(), Some((0.381, false)));
    }
}
