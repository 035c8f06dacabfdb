int list_folder_unused;
