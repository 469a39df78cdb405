"""Help of each setting in Spanish; the English help is in service/settings.py."""

from __future__ import annotations

SPANISH = {
    "BACKEND_DATA_ROOT": "Carpeta de imágenes enseñadas, modelos, inspecciones y registros",
    "BACKEND_HOST": "Dirección en la que escucha; si no es la del propio PC, hace falta una clave",
    "BACKEND_PORT": "Puerto TCP en el que escucha",
    "UVICORN_WORKERS": "Procesos del servicio; cada uno carga su propio motor",
    "BACKEND_API_KEY": "Claves aceptadas, separadas por comas; `nombre:clave` da nombre a quien llama",
    "BACKEND_ALLOW_ORIGINS": "Orígenes que CORS permite a los navegadores, separados por comas",
    "BACKEND_ALLOWED_HOSTS": "Nombres de host a los que responde, además del suyo y de las direcciones IP",
    "BACKEND_DEVICE": "`auto`, `cpu` o `cuda:0`",
    "PATCHCORE_CORES": "Núcleos de CPU que puede usar el motor; 0 = todos",
    "BACKEND_BACKBONE": "Red de los modelos nuevos; `auto` = la mejor cuyos pesos estén disponibles",
    "BACKEND_WEIGHTS_DIR": "Carpeta de archivos de pesos, la primera en la que se busca",
    "BACKEND_INPUT_SIZE": "Lado en píxeles al que se escala una ROI; 0 = el de la propia ROI, dentro de límites",
    "BACKEND_CORESET_RATE": "Parte de los fragmentos que guarda un banco de memoria; 0 = la propia de la red",
    "BACKEND_REQUIRE_CALIBRATION": "Si /infer rechaza un modelo sin calibrar",
    "BACKEND_QUEUE_SIZE": "Inspecciones que pueden esperar al dispositivo",
    "BACKEND_BATCH_SIZE": "Imágenes que pasan juntas por la red",
    "BACKEND_INFER_TIMEOUT_S": "Segundos tras los que una inspección se da por error",
    "BACKEND_MODELS_IN_MEMORY": "Bancos de memoria que se mantienen en el dispositivo",
    "BACKEND_MAX_BODY_MB": "Tamaño máximo de una petición en MB",
    "BACKEND_MAX_IMAGE_MPX": "Tamaño máximo de una imagen en megapíxeles",
    "BACKEND_ARCHIVE_OK_EVERY": "Guarda la imagen de uno de cada n OK (NG: todas); 0 = ninguna",
    "BACKEND_MIN_FREE_MB": "Espacio libre en disco por debajo del cual ya no se guardan imágenes",
    "BACKEND_KEEP_OK_DAYS": "Días que se conservan las imágenes guardadas de piezas OK",
    "BACKEND_KEEP_NG_DAYS": "Días que se conservan las imágenes de piezas NG; no menos que las de piezas OK",
    "BACKEND_KEEP_MB": "Tamaño máximo en MB de todas las imágenes guardadas; 0 = sin límite",
    "BACKEND_KEEP_FREE_PERCENT": (
        "Porcentaje de disco libre por debajo del cual se borran las imágenes guardadas más antiguas"
    ),
    "BACKEND_BACKUP_HOUR": "Hora local de la copia de seguridad diaria; -1 = no hay copia diaria",
    "BACKEND_BACKUP_DIR": "Segunda carpeta de copias de seguridad, por ejemplo en la red",
    "BACKEND_VERIFY_HOUR": (
        "Hora de la comprobación diaria de piezas patrón; si no se supera, el estado es `degraded`; -1 = no se exige"
    ),
    "BACKEND_LOG_LEVEL": "DEBUG, INFO, WARNING o ERROR",
    "BACKEND_LOG_MAX_MB": "Tamaño al que rota un archivo de registro",
    "BACKEND_LOG_FILES": "Archivos de registro de cada tipo que se conservan",
    "BACKEND_LOG_DAYS": "Días tras los que se borra un archivo de registro ya rotado",
}
