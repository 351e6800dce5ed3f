//! From answers to a table.

use serde::Serialize;

use super::{Results, Task};

/// A share, and how far off it may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Per cent.
    pub percent: f64,
    /// Its standard error in per cent, √(p(1 − p) / (n − 1)); of one item there is none.
    pub error: Option<f64>,
}

impl Score {
    /// Of how many were right.
    pub fn of(right: usize, items: usize) -> Score {
        let share = right as f64 / items as f64;
        let error = (items > 1).then(|| (share * (1.0 - share) / (items - 1) as f64).sqrt());
        Score { percent: 100.0 * share, error: error.map(|error| 100.0 * error) }
    }

    /// The mean of independent ones.
    fn mean(scores: &[Score]) -> Score {
        let count = scores.len() as f64;
        let errors: Option<Vec<f64>> = scores.iter().map(|score| score.error).collect();
        Score {
            percent: scores.iter().map(|score| score.percent).sum::<f64>() / count,
            error: errors.map(|errors| errors.iter().map(|e| e * e).sum::<f64>().sqrt() / count),
        }
    }

    fn text(&self) -> String {
        let error = self.error.map_or("-".into(), |error| format!("{error:.2}"));
        format!("{:.2} ± {error}", self.percent)
    }
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The data set.
    pub task: Task,
    /// Items that were answered.
    pub items: usize,
    /// Items that there are.
    pub of: usize,
    /// How often the likeliest choice is right.
    pub acc: Score,
    /// The same of the likeliest for its length, where the choices differ in length.
    pub acc_norm: Option<Score>,
    /// Per cent in the paper's table, of the model of this shape.
    pub paper: Option<f64>,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The model's image.
    pub image_id: String,
    /// `fixed` or `float`.
    pub arithmetic: String,
    /// In the paper's order as far as they are there.
    pub tasks: Vec<Row>,
    /// Of acc, if there are several.
    pub average: Option<Score>,
    /// Of acc_norm, and of acc where there is none.
    pub average_norm: Option<Score>,
    /// Of the paper's figures for the same tasks.
    pub paper: Option<f64>,
}

/// Layers and width of the model whose figures of the paper are at hand.
const SHAPE_370M: [usize; 2] = [24, 1024];

impl Report {
    /// Of results of one model, with one answer each at least.
    pub fn new(results: &[Results]) -> Report {
        let mut tasks: Vec<Row> = results.iter().map(row).collect();
        tasks.sort_unstable_by_key(|row| row.task);
        let several = tasks.len() > 1;
        let acc: Vec<Score> = tasks.iter().map(|row| row.acc).collect();
        let norm: Vec<Score> = tasks.iter().map(|row| row.acc_norm.unwrap_or(row.acc)).collect();
        let paper: Option<Vec<f64>> = tasks.iter().map(|row| row.paper).collect();
        let header = &results[0].header;
        Report {
            image_id: header.image_id.clone(),
            arithmetic: header.arithmetic.clone(),
            average: several.then(|| Score::mean(&acc)),
            average_norm: several.then(|| Score::mean(&norm)),
            paper: paper.filter(|_| several).map(|all| all.iter().sum::<f64>() / all.len() as f64),
            tasks,
        }
    }

    /// As lines; per cent.
    pub fn text(&self) -> String {
        let with_paper = self.tasks.iter().any(|row| row.paper.is_some());
        let line = |task: &str, items: &str, acc: &str, norm: &str, paper: &str| {
            let paper = if with_paper { format!("  {paper:>6}") } else { String::new() };
            format!("{task:<14} {items:>13}  {acc:>14}  {norm:>14}{paper}\n")
        };
        let paper = |figure: Option<f64>| figure.map_or("-".into(), |paper| format!("{paper:.1}"));
        let mut text = line("task", "items", "acc %", "acc_norm %", "paper");
        for row in &self.tasks {
            let items = match row.items == row.of {
                true => row.items.to_string(),
                false => format!("{} of {}", row.items, row.of),
            };
            let norm = row.acc_norm.map_or("-".into(), |score| score.text());
            text += &line(row.task.name(), &items, &row.acc.text(), &norm, &paper(row.paper));
        }
        if let (Some(acc), Some(norm)) = (&self.average, &self.average_norm) {
            text += &line("average", "", &acc.text(), &norm.text(), &paper(self.paper));
        }
        text += &format!(
            "image {}, {} point\n",
            self.image_id,
            match self.arithmetic.as_str() {
                "float" => "floating",
                _ => "fixed",
            }
        );
        text
    }
}

fn row(results: &Results) -> Row {
    let Results { header, answers, .. } = results;
    let (task, items) = (header.task, answers.len());
    let right = answers.iter().filter(|answer| answer.right).count();
    let right_norm = answers.iter().filter(|answer| answer.right_norm).count();
    Row {
        task,
        items,
        of: header.items(),
        acc: Score::of(right, items),
        acc_norm: task.is_normalised().then(|| Score::of(right_norm, items)),
        paper: (header.shape == SHAPE_370M).then(|| task.published_370m()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_shares() {
        // ARC's challenge has 1,172 questions; 22.27 ± 1.22 % is what the harness prints for 261.
        let score = Score::of(261, 1172);
        assert_eq!(score.text(), "22.27 ± 1.22");
        assert_eq!(Score::of(1, 1).text(), "100.00 ± -");
        assert_eq!(Score::of(0, 5), Score { percent: 0.0, error: Some(0.0) });
        let mean = Score::mean(&[Score::of(1, 2), Score::of(1, 2)]);
        let one = Score::of(1, 2).error.unwrap();
        assert_eq!(mean.percent, 50.0);
        assert!((mean.error.unwrap() - one / 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(Score::mean(&[Score::of(1, 2), Score::of(1, 1)]).error, None);
    }
}
