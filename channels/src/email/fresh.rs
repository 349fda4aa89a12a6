//! What of a mail's text is new: without what it quotes, forwards and is signed with. Pure, and linear in the text's length.

/// A text taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// What its author wrote now, answers between quotes included.
    pub text: String,
    /// What it passes on: somebody else's words.
    pub forwarded: Option<String>,
}

/// Takes a text apart.
pub fn fresh(text: &str) -> Fresh {
    let lines: Vec<&str> = text.lines().collect();
    let mut said: Vec<&str> = Vec::new();
    let mut at = 0;
    let mut forwarded = None;
    while let Some(line) = lines.get(at) {
        let trimmed = line.trim();
        if is_forward(trimmed) {
            forwarded = Some(at);
            break;
        }
        if is_signature(line) {
            forwarded = lines[at..].iter().position(|line| is_forward(line.trim())).map(|found| at + found);
            break;
        }
        if trimmed.starts_with('>') {
            at += 1;
            continue;
        }
        if is_original(trimmed) || is_header_block(&lines[at..]) {
            break;
        }
        match attribution(&lines[at..]) {
            // What stands below such a quote may be an answer to it.
            Some(taken) if quotes_next(&lines[at + taken..]) => at += taken,
            Some(_) => break,
            None => {
                said.push(line.trim_end());
                at += 1;
            }
        }
    }
    while said.last().is_some_and(|line| line.trim().is_empty() || is_device(line.trim())) {
        said.pop();
    }
    let forwarded = forwarded.map(|at| lines[at + 1..].join("\n").trim().to_owned()).filter(|text| !text.is_empty());
    Fresh { text: joined(&said), forwarded }
}

/// The lines, with one empty line where there were several.
fn joined(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut was_empty = true;
    for line in lines {
        let is_empty = line.trim().is_empty();
        if !(is_empty && was_empty) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
        was_empty = is_empty;
    }
    text
}

/// `-- ` (RFC 3676, section 4.3), also from programs that lose the blank.
pub(super) fn is_signature(line: &str) -> bool {
    matches!(line.trim_end_matches(['\r', '\u{a0}']), "-- " | "--")
}

/// Whether quoted lines come next.
fn quotes_next(lines: &[&str]) -> bool {
    lines.iter().map(|line| line.trim()).find(|line| !line.is_empty()).is_some_and(|line| line.starts_with('>'))
}

/// The words between the dashes of `---------- Forwarded message ---------`.
fn between_dashes(line: &str) -> Option<String> {
    let inner = line.strip_prefix("--")?.trim_start_matches('-');
    let inner = inner.trim_end_matches('-').trim();
    (line.ends_with("--") && !inner.is_empty() && inner.len() < 80).then(|| inner.to_lowercase())
}

pub(super) fn is_forward(line: &str) -> bool {
    const DASHED: [&str; 12] = [
        "forwarded message",
        "weitergeleitete nachricht",
        "message transféré",
        "mensaje reenviado",
        "messaggio inoltrato",
        "mensagem encaminhada",
        "doorgestuurd bericht",
        "vidarebefordrat meddelande",
        "przekazana wiadomość",
        "пересылаемое сообщение",
        "转发的邮件",
        "転送されたメッセージ",
    ];
    const PLAIN: [&str; 6] = [
        "Begin forwarded message:",
        "Anfang der weitergeleiteten Nachricht:",
        "Début du message réexpédié :",
        "Inicio del mensaje reenviado:",
        "Inizio messaggio inoltrato:",
        "Begin doorgestuurd bericht:",
    ];
    PLAIN.contains(&line) || line.starts_with("--") && between_dashes(line).is_some_and(|inner| DASHED.iter().any(|known| inner.starts_with(known)))
}

/// Outlook's line before what is answered.
pub(super) fn is_original(line: &str) -> bool {
    const KNOWN: [&str; 10] = [
        "original message",
        "original appointment",
        "ursprüngliche nachricht",
        "original-nachricht",
        "message d'origine",
        "mensaje original",
        "messaggio originale",
        "mensagem original",
        "oorspronkelijk bericht",
        "исходное сообщение",
    ];
    line.starts_with("--") && between_dashes(line).is_some_and(|inner| KNOWN.contains(&inner.replace('’', "'").as_str()))
}

/// `From:` with `Sent:`, `To:` or `Subject:` right below: the head of what is answered, perhaps under a rule.
pub(super) fn is_header_block(lines: &[&str]) -> bool {
    const FROM: [&str; 10] = ["from", "von", "de", "da", "van", "från", "fra", "od", "от", "发件人"];
    const OTHERS: [&str; 40] = [
        "sent",
        "date",
        "to",
        "cc",
        "subject",
        "gesendet",
        "datum",
        "an",
        "betreff",
        "envoyé",
        "à",
        "objet",
        "enviado",
        "enviada",
        "fecha",
        "para",
        "asunto",
        "inviato",
        "a",
        "oggetto",
        "data",
        "assunto",
        "verzonden",
        "aan",
        "onderwerp",
        "skickat",
        "till",
        "ämne",
        "sendt",
        "til",
        "emne",
        "wysłano",
        "do",
        "temat",
        "отправлено",
        "кому",
        "тема",
        "发送时间",
        "收件人",
        "主题",
    ];
    let is_rule = |line: &str| line.len() >= 10 && (line.bytes().all(|b| b == b'_') || line.bytes().all(|b| b == b'-'));
    let mut lines = lines.iter().take(10).map(|line| line.trim().trim_matches('*')).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return false };
    let first = if is_rule(first) { lines.next() } else { Some(first) };
    let is_from = first.and_then(label).is_some_and(|label| FROM.contains(&label.as_str()));
    is_from && lines.take(5).filter_map(label).filter(|label| OTHERS.contains(&label.as_str())).count() >= 2
}

/// The name of a header line, in small letters.
pub(super) fn label(line: &str) -> Option<String> {
    let end = line.find([':', '：']).filter(|end| *end <= 40)?;
    Some(line[..end].trim().trim_matches('*').to_lowercase())
}

/// How many lines say who wrote what comes next, as in `On 21 Nov 2026, at 10:00, Ana <ana@example.org> wrote:`.
pub(super) fn attribution(lines: &[&str]) -> Option<usize> {
    /// How it begins, with what it says somewhere behind.
    const LED: [(&str, &str); 14] = [
        ("On ", "wrote"),
        ("Am ", "schrieb"),
        ("Le ", "a écrit"),
        ("El ", "escribió"),
        ("Il ", "ha scritto"),
        ("Em ", "escreveu"),
        ("A ", "escreveu"),
        ("Op ", "schreef"),
        ("Den ", "skrev"),
        ("Den ", "schrieb"),
        ("W dniu ", "napisał"),
        ("W dniu ", "pisze"),
        ("Dne ", "napsal"),
        ("在 ", "写道"),
    ];
    /// In one line, with nothing certain before.
    const WITHIN: [&str; 12] =
        ["wrote:", "schrieb:", "skrev:", "kirjoitti:", "написал:", "написал(а):", "пишет:", "пише:", "yazdı:", "写道：", "写道:", "작성:"];
    /// Longer ones are sentences.
    const MAX: usize = 400;
    let first = lines.first()?.trim();
    if first.is_empty() || first.len() > MAX {
        return None;
    }
    let is_dated = |text: &str| text.bytes().filter(u8::is_ascii_digit).count() >= 2;
    if WITHIN.iter().any(|end| first.ends_with(end)) && is_dated(first) {
        return Some(1);
    }
    // A date, the name and the address in angle brackets, nothing else: older Gmail.
    if first.ends_with(">:") && first.contains('@') && is_dated(first) {
        return Some(1);
    }
    let (_, verb) =
        LED.iter().find(|(lead, verb)| first.starts_with(lead) && (first.contains(verb) || lines.iter().take(4).any(|line| line.contains(verb))))?;
    let mut whole = String::new();
    for (at, line) in lines.iter().take(4).map(|line| line.trim()).enumerate() {
        if line.is_empty() || whole.len() + line.len() > MAX {
            return None;
        }
        whole.push_str(line);
        whole.push(' ');
        if line.ends_with([':', '：']) {
            return (whole.contains(verb) && is_dated(&whole)).then_some(at + 1);
        }
    }
    None
}

/// What telephones and programs write below on their own.
pub(super) fn is_device(line: &str) -> bool {
    const BEGINNINGS: [&str; 18] = [
        "Sent from my ",
        "Sent from Mail for",
        "Sent from Outlook",
        "Sent from Yahoo Mail",
        "Sent with Proton Mail",
        "Sent via ",
        "Get Outlook for ",
        "Von meinem iPhone gesendet",
        "Von meinem iPad gesendet",
        "Gesendet von ",
        "Gesendet mit ",
        "Envoyé de mon ",
        "Enviado desde mi ",
        "Enviado do meu ",
        "Inviato da ",
        "Verzonden vanaf mijn ",
        "Skickat från min ",
        "Отправлено с ",
    ];
    line.len() < 120 && BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

#[cfg(test)]
mod tests;
