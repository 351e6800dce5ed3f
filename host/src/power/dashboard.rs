//! What `sterna power watch` shows: on a terminal a dashboard, elsewhere a line a second.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Gauge, Paragraph, Sparkline, Wrap};

use super::live::{KEPT, MeterView, View};

/// Colours of beats, starved, blocked, idle.
const PARTS: [(&str, Color); 4] = [
    ("beats", Color::Green),
    ("starved", Color::Yellow),
    ("blocked", Color::Red),
    ("idle", Color::DarkGray),
];

/// Draws it all.
pub fn draw(frame: &mut Frame<'_>, device: &str, view: &View) {
    let meters = view.meters.len().max(1) as u16;
    let rows = Layout::vertical([
        Constraint::Length(3),
        Constraint::Min(4 * meters),
        Constraint::Length(if view.clocks.is_some() { 6 } else { 0 }),
        Constraint::Length(1),
    ])
    .split(frame.area());
    frame.render_widget(head(device, view), rows[0]);
    let each = Layout::vertical(vec![Constraint::Ratio(1, meters.into()); meters.into()]);
    for (meter, &area) in view.meters.iter().zip(each.split(rows[1]).iter()) {
        draw_meter(frame, meter, area);
    }
    if let Some(shares) = view.clocks {
        draw_clocks(frame, shares, rows[2]);
    }
    frame.render_widget(Line::from("q ends").dim(), rows[3]);
}

fn head<'a>(device: &str, view: &View) -> Paragraph<'a> {
    let mut text = format!(
        "{:.1} tokens/s   {} tokens   {:.0} s",
        view.tokens_per_second, view.tokens, view.seconds
    );
    for (name, celsius) in &view.temperatures {
        text += &format!("   {name} {celsius:.0} °C");
    }
    Paragraph::new(text.bold()).block(Block::bordered().title(format!(" {device} ")))
}

fn draw_meter(frame: &mut Frame<'_>, meter: &MeterView, area: Rect) {
    let block = Block::bordered().title(format!(" {}, {} ", meter.name, meter.label));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let rows = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).split(inner);
    if let Some(trouble) = &meter.trouble {
        let text = Paragraph::new(trouble.clone()).wrap(Wrap { trim: true });
        frame.render_widget(text.style(Style::new().fg(Color::Red)), inner);
        return;
    }
    frame.render_widget(Line::from(figures(meter)).bold(), rows[0]);
    // The second's mean watts, in milliwatts: a sparkline takes whole numbers.
    let wide = usize::from(rows[1].width).min(KEPT as usize);
    let skipped = meter.history.len().saturating_sub(wide);
    let bars = meter.history[skipped..].iter().map(|watts| (watts.max(0.0) * 1e3) as u64);
    let bars = Sparkline::default().data(bars).style(Style::new().fg(Color::Cyan));
    frame.render_widget(bars, rows[1]);
}

fn figures(meter: &MeterView) -> String {
    let watts = meter.watts.map_or("no samples yet".into(), |watts| format!("{watts:.2} W"));
    match meter.joules_per_token {
        Some(joules) => format!("{watts}   {} a token", joules_text(joules)),
        None => watts,
    }
}

/// Joules with the prefix that suits them.
fn joules_text(joules: f64) -> String {
    match joules.abs() {
        j if j >= 1.0 => format!("{joules:.2} J"),
        j if j >= 1e-3 => format!("{:.2} mJ", joules * 1e3),
        _ => format!("{:.2} µJ", joules * 1e6),
    }
}

fn draw_clocks(frame: &mut Frame<'_>, shares: [f64; 4], area: Rect) {
    let block = Block::bordered().title(" where the clocks go ");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let rows = Layout::vertical([Constraint::Length(1); 4]).split(inner);
    for (((name, color), share), &row) in PARTS.into_iter().zip(shares).zip(rows.iter()) {
        let label = format!("{name} {:.1} %", 100.0 * share);
        let gauge = Gauge::default().ratio(share.clamp(0.0, 1.0)).label(label);
        frame.render_widget(gauge.gauge_style(Style::new().fg(color)), row);
    }
}

/// The same in a line.
pub fn line(view: &View) -> String {
    let mut text = format!("{:6.1} s  {:8.1} tokens/s", view.seconds, view.tokens_per_second);
    for meter in &view.meters {
        let what = match &meter.trouble {
            Some(trouble) => trouble.clone(),
            None => figures(meter),
        };
        text += &format!("  {} ({}): {what}", meter.name, meter.label);
    }
    for (name, celsius) in &view.temperatures {
        text += &format!("  {name} {celsius:.0} °C");
    }
    if let Some([_, starved, blocked, idle]) = view.clocks {
        let percent = [starved, blocked, idle].map(|share| format!("{:.1}", 100.0 * share));
        text += &format!("  stalls {} %", percent.join("/"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn view() -> View {
        let meter = |name: &str, label, trouble: Option<&str>| MeterView {
            name: name.into(),
            label,
            watts: Some(3.512),
            history: (0..60).map(|n| if n < 30 { 1.7 } else { 3.5 }).collect(),
            joules_per_token: Some(0.00123),
            trouble: trouble.map(String::from),
        };
        View {
            seconds: 61.4,
            tokens: 12_345,
            tokens_per_second: 281.5,
            meters: vec![
                meter("hwmon:ina226", "measured", None),
                meter("activity", "model, not measurement", None),
                meter("cms:0", "measured", Some("error[W004]: the card is gone")),
            ],
            temperatures: vec![("FPGA".into(), 45.4)],
            clocks: Some([0.9483, 0.02, 0.0117, 0.02]),
        }
    }

    #[test]
    fn the_dashboard_shows_everything() {
        let mut terminal = Terminal::new(TestBackend::new(72, 26)).unwrap();
        terminal.draw(|frame| draw(frame, "xdma", &view())).unwrap();
        insta::assert_snapshot!(terminal.backend());
    }

    #[test]
    fn a_small_terminal_is_no_trouble() {
        for (width, height) in [(1, 1), (10, 3), (20, 8), (300, 100)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, "xdma", &view())).unwrap();
        }
    }

    #[test]
    fn a_line_says_the_same() {
        insta::assert_snapshot!(line(&view()));
    }
}
