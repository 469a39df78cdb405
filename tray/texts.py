"""Every text of the tray in English and Spanish side by side, so that none can be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")
NAMES: Mapping[Language, str] = {"en": "English", "es": "Español"}

# fmt: off
TEXTS: Mapping[str, tuple[str, str]] = {
    "product": ("BrakeDisc Inspector", "BrakeDisc Inspector"),
    # the state in words
    "state.stopped": ("Stopped", "Detenido"),
    "state.starting": ("Starting…", "Arrancando…"),
    "state.ready": ("Ready to inspect", "Listo para inspeccionar"),
    "state.ready.frozen": ("Ready to inspect, training frozen", "Listo para inspeccionar, entrenamiento congelado"),
    "state.degraded": ("Works, but: {reason}", "Funciona, pero: {reason}"),
    "state.silent": ("The service does not answer", "El servicio no responde"),
    "state.down": ("Down: {reason}", "Caído: {reason}"),
    "state.down.unknown": ("Down", "Caído"),
    "state.stopping": ("Stopping…", "Deteniendo…"),
    "state.gpu_lost": ("{state} (GPU was lost)", "{state} (se perdió la GPU)"),
    # why: the codes of the supervisor and of /health
    "code.port_taken": ("another program uses the port", "otro programa ocupa el puerto"),
    "code.settings": ("a setting is refused", "hay un ajuste no válido"),
    "code.cannot_start": ("cannot be started", "no se puede arrancar"),
    "code.crashed": ("crashed, is being restarted", "falló, se está reiniciando"),
    "code.gave_up": ("crashed again and again, no longer restarted", "falla una y otra vez, ya no se reinicia"),
    "code.hung": ("did not answer, is being restarted", "no respondía, se está reiniciando"),
    "code.no_answer": ("does not answer", "no responde"),
    "code.gpu_lost": (
        "the GPU was lost; once it is checked, Restart",
        "se perdió la GPU; una vez revisada, Reiniciar",
    ),
    "code.device_lost": ("the GPU was lost", "se perdió la GPU"),
    "code.starting": ("is starting", "está arrancando"),
    "code.loading": ("the model is loading", "se está cargando el modelo"),
    "code.error": ("the service reports an error", "el servicio avisa de un error"),
    "code.not_ready": ("not ready yet", "aún no está listo"),
    "code.data_root_closed": ("the data folder cannot be opened", "no se puede abrir la carpeta de datos"),
    "code.data_root_gone": ("the data folder is missing", "falta la carpeta de datos"),
    "code.disk_low": ("the disk is almost full", "el disco está casi lleno"),
    "code.disk_full": ("the disk is full", "el disco está lleno"),
    "code.foreign_backbone": ("a model needs other weights", "un modelo necesita otros pesos"),
    "code.model_damaged": ("a model is damaged", "un modelo está dañado"),
    "code.engine_failed": ("the device cannot compute", "el dispositivo no puede calcular"),
    "code.restore_not_verified": ("the restored state is not verified", "el estado restaurado no está verificado"),
    "code.golden_not_checked": ("golden parts not checked", "piezas patrón sin comprobar"),
    "code.golden_failed": ("golden parts failed", "las piezas patrón no pasan"),
    "code.backup_failed": ("the backup failed", "la copia de seguridad falló"),
    "code.screens_down": ("the screens cannot be shown", "no se pueden mostrar las pantallas"),
    # the menu
    "menu.open": ("Open inspector", "Abrir el inspector"),
    "menu.start": ("Start", "Arrancar"),
    "menu.stop": ("Stop", "Detener"),
    "menu.restart": ("Restart", "Reiniciar"),
    "menu.freeze": ("Training: freeze", "Entrenamiento: congelar"),
    "menu.unfreeze": ("Training: release", "Entrenamiento: liberar"),
    "menu.unfreeze.by": ("Training: release (frozen by {by})", "Entrenamiento: liberar (congelado por {by})"),
    "menu.backup": ("Back up now", "Hacer copia de seguridad ahora"),
    "menu.restore": ("Restore…", "Restaurar…"),
    "menu.restore.item": ("{time} · version {version}", "{time} · versión {version}"),
    "menu.restore.none": ("No backups yet", "Aún no hay copias"),
    "menu.restore.unknown": ("One moment…", "Un momento…"),
    "menu.logs": ("Open logs", "Abrir los registros"),
    "menu.data": ("Open data folder", "Abrir la carpeta de datos"),
    "menu.diagnostics": ("Copy diagnostics", "Copiar diagnóstico"),
    "menu.autostart": ("Start with Windows", "Iniciar con Windows"),
    "menu.language": ("Language", "Idioma"),
    "menu.about": ("About", "Acerca de"),
    "menu.quit": ("Quit", "Salir"),
    # under way, behind the first line
    "busy.freeze": ("freezing training…", "congelando el entrenamiento…"),
    "busy.unfreeze": ("releasing training…", "liberando el entrenamiento…"),
    "busy.backup": ("backing up…", "haciendo la copia…"),
    "busy.restore": ("restoring…", "restaurando…"),
    "busy.diagnostics": ("collecting diagnostics…", "recogiendo el diagnóstico…"),
    # the tooltip
    "tip.gpu": ("GPU {mb} MB", "GPU {mb} MB"),
    "tip.latency": ("{ms} ms", "{ms} ms"),
    # questions
    "ask.stop": (
        "Stop the inspection service? No part is inspected until it is started again.",
        "¿Detener el servicio de inspección? No se inspecciona ninguna pieza hasta que se vuelva a arrancar.",
    ),
    "ask.restart": (
        "Restart the inspection service? No part is inspected until it is ready again.",
        "¿Reiniciar el servicio de inspección? No se inspecciona ninguna pieza hasta que vuelva a estar listo.",
    ),
    "ask.quit": (
        "Quit? The inspection service is stopped, and no part is inspected.",
        "¿Salir? El servicio de inspección se detiene y no se inspecciona ninguna pieza.",
    ),
    "ask.restore": (
        "Restore the backup of {time}? Models, samples and records made since then are replaced, and the service "
        "restarts. The present state is kept until the restored one is verified.",
        "¿Restaurar la copia del {time}? Se sustituyen los modelos, muestras y registros hechos desde entonces, "
        "y el servicio se reinicia. El estado actual se conserva hasta verificar el restaurado.",
    ),
    # outcomes
    "done.freeze": ("Training is frozen.", "El entrenamiento está congelado."),
    "done.unfreeze": ("Training is released.", "El entrenamiento está liberado."),
    "done.backup": ("Backup made: {name}", "Copia de seguridad hecha: {name}"),
    "done.restore": (
        "The backup is checked; the service restarts with it.",
        "La copia está comprobada; el servicio se reinicia con ella.",
    ),
    "restore.unclear": (
        "The service ended before it said whether the restore worked. Look at the logs before inspecting.",
        "El servicio terminó antes de decir si la restauración fue bien. Mirar los registros antes de inspeccionar.",
    ),
    "done.diagnostics": ("Diagnostics: {path}", "Diagnóstico: {path}"),
    "done.diagnostics.copied": (
        "Diagnostics: {path} (the path is in the clipboard)",
        "Diagnóstico: {path} (la ruta está en el portapapeles)",
    ),
    "failed": ("{action} did not work: {reason}", "{action}: no fue posible. {reason}"),
    "failed.no_answer": ("The service does not answer.", "El servicio no responde."),
    "failed.training_frozen": ("Training is frozen.", "El entrenamiento está congelado."),
    "failed.api_key_required": (
        "The key in BACKEND_API_KEY is not accepted.",
        "La clave de BACKEND_API_KEY no se acepta.",
    ),
    "failed.disk_full": ("The disk is full.", "El disco está lleno."),
    "failed.conflict": (
        "Another change is under way; try again later.",
        "Hay otro cambio en curso; volver a intentarlo más tarde.",
    ),
    "failed.backup_failed": ("The backup failed: {detail}", "La copia de seguridad falló: {detail}"),
    "failed.backup_refused": ("The backup is not accepted: {detail}", "La copia no se acepta: {detail}"),
    "failed.no_dialog": (
        "No program can show the question here; use the command line.",
        "Aquí ningún programa puede mostrar la pregunta; usar la línea de comandos.",
    ),
    # notifications
    "note.down": ("The service is down: {reason}", "El servicio está caído: {reason}"),
    "note.back": ("The service is back.", "El servicio vuelve a funcionar."),
    "note.ng": (
        "{role} / {roi}: {ng} of the last {of} parts are NG.",
        "{role} / {roi}: {ng} de las últimas {of} piezas son NG.",
    ),
    "note.backup": ("The backup failed: {reason}", "La copia de seguridad falló: {reason}"),
    "note.backup_copy": (
        "The second copy of the backup failed: {reason}",
        "Falló la segunda copia de la copia de seguridad: {reason}",
    ),
    "note.disk": ("The disk is almost full: {mb} MB free.", "El disco está casi lleno: {mb} MB libres."),
    "note.gpu": (
        "The GPU was lost. Parts without a verdict have to be inspected again.",
        "Se perdió la GPU. Hay que volver a inspeccionar las piezas sin veredicto.",
    ),
    "note.golden": (
        "The golden parts failed. Do not trust verdicts until quality has looked at it.",
        "Las piezas patrón no pasan. No fiarse de los veredictos hasta que calidad lo revise.",
    ),
    # about
    "about": (
        "BrakeDisc Inspector {version}\n\nDevice: {device}\nData folder: {data_root}",
        "BrakeDisc Inspector {version}\n\nDispositivo: {device}\nCarpeta de datos: {data_root}",
    ),
    "yes": ("Yes", "Sí"),
    "no": ("No", "No"),
    "ok": ("OK", "Aceptar"),
}
# fmt: on


def text(language: Language, key: str, **values: object) -> str:
    """Raises KeyError for a key or placeholder that does not exist: the texts' test meets every one."""
    return TEXTS[key][LANGUAGES.index(language)].format(**values)


def reason(language: Language, code: str, english: str) -> str:
    """The code in the operator's language; the English sentence for a code newer than this table."""
    return text(language, f"code.{code}") if f"code.{code}" in TEXTS else english


def refusal(language: Language, code: str, detail: str) -> str:
    """What the service answered to something we asked of it."""
    return text(language, f"failed.{code}", detail=detail) if f"failed.{code}" in TEXTS else detail
